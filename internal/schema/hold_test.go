package schema_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
)

func TestEngine_Hold(t *testing.T) {
	t.Parallel()
	set := files("create table a ();", "create table b ();")
	var refused *schema.RefusedError

	t.Run("stops up until it is released", func(t *testing.T) {
		t.Parallel()
		engine := openWith(t, schema.Config{URL: pgtest.Empty(t), FS: set, Actor: schema.Actor{Name: "oncall@bastion"}})
		if _, err := engine.Up(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		hold, err := engine.Hold(t.Context(), "incident 42", nil)
		if err != nil || hold.Reason != "incident 42" || hold.Actor != "oncall@bastion" || hold.Until != nil {
			t.Fatalf("got %+v, %v", hold, err)
		}
		if result, err := engine.Up(t.Context(), 0); !errors.As(err, &refused) || !strings.Contains(err.Error(), `"incident 42", by oncall@bastion`) || result.To != 1 {
			t.Fatalf("up under a hold: %+v, %v", result, err)
		}
		if _, err := engine.Hold(t.Context(), "another", nil); !errors.As(err, &refused) || !strings.Contains(err.Error(), "incident 42") {
			t.Fatalf("a second hold: %v", err)
		}
		if status, err := engine.Status(t.Context()); err != nil || status.Hold == nil || status.Hold.Reason != "incident 42" {
			t.Fatalf("status %+v, %v", status, err)
		}
		if released, err := engine.ReleaseHold(t.Context()); err != nil || released == nil || released.Reason != "incident 42" {
			t.Fatalf("release: %+v, %v", released, err)
		}
		if released, err := engine.ReleaseHold(t.Context()); err != nil || released != nil {
			t.Fatalf("second release: %+v, %v", released, err)
		}
		if result, err := engine.Up(t.Context(), 0); err != nil || result.To != 2 {
			t.Fatalf("up after the release: %+v, %v", result, err)
		}
	})

	t.Run("ends by itself", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		until := time.Now().Add(time.Hour)
		if hold, err := engine.Hold(t.Context(), "deploy freeze", &until); err != nil || hold.Until == nil || hold.Until.Sub(until).Abs() > time.Millisecond {
			t.Fatalf("got %+v, %v", hold, err)
		}
		if _, err := engine.Up(t.Context(), 0); !errors.As(err, &refused) {
			t.Fatalf("got %v", err)
		}
		if _, err := connect(t, url).ExecContext(t.Context(), `update portaldb.holds set until = now()`); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if hold, err := engine.Hold(t.Context(), "the next", nil); err != nil || hold.Reason != "the next" {
			t.Fatalf("got %+v, %v", hold, err)
		}
	})

	t.Run("does not come along with a copy of another environment", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		if _, err := openWith(t, schema.Config{URL: url, FS: set, Environment: "production"}).Hold(t.Context(), "incident", nil); err != nil {
			t.Fatal(err)
		}
		staging := openWith(t, schema.Config{URL: url, FS: set, Environment: "staging"})
		if _, err := staging.Up(t.Context(), 0); !errors.As(err, &refused) {
			t.Fatalf("a copy that still says production: %v", err)
		}
		if _, err := connect(t, url).ExecContext(t.Context(), `update portaldb.meta set environment = 'staging'`); err != nil {
			t.Fatal(err)
		}
		if result, err := staging.Up(t.Context(), 0); err != nil || result.To != 2 {
			t.Fatalf("got %+v, %v", result, err)
		}
	})

	t.Run("two at once set one", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		if _, err := open(t, url, set).Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		var group errgroup.Group
		results := make([]error, 4)
		for i := range results {
			group.Go(func() error {
				_, results[i] = open(t, url, set).Hold(t.Context(), "incident", nil)
				return nil
			})
		}
		_ = group.Wait()
		held := 0
		for _, err := range results {
			if err == nil {
				held++
			} else if !errors.As(err, &refused) {
				t.Errorf("got %v", err)
			}
		}
		if held != 1 {
			t.Errorf("%d of them set a hold", held)
		}
	})
}
