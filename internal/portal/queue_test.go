package portal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"portaldb/internal/portal"
)

func (b *bundle) queue(t testing.TB, kind string) string {
	t.Helper()
	s, _, err := b.service.CreateSubmission(t.Context(), "bff", portal.NewSubmission{Kind: kind, Version: "1", Payload: json.RawMessage("{}"), Queue: true})
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

func (b *bundle) claim(t testing.TB, c portal.Claim) []string {
	t.Helper()
	items, err := b.service.ClaimSubmissions(t.Context(), "worker token", c)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.ID
		if item.Status != "running" {
			t.Errorf("%s is %s", item.ID, item.Status)
		}
	}
	return ids
}

// expire ends every lease.
func (b *bundle) expire(t testing.TB) {
	t.Helper()
	b.exec(t, "UPDATE service.submission_queue SET lease_until = now() - interval '1 second' WHERE worker IS NOT NULL")
}

func TestService_ClaimSubmissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t) // not offered
	b.exec(t, "INSERT INTO submissions (id, kind, version, payload, status) VALUES ('legacy', 'a', '1', '{}', 'queued')")
	a1, b1, a2, c1, a3 := b.queue(t, "a"), b.queue(t, "b"), b.queue(t, "a"), b.queue(t, "c"), b.queue(t, "a")

	got := [][]string{
		b.claim(t, portal.Claim{Kinds: []string{"none"}, Worker: "w1"}),
		b.claim(t, portal.Claim{Kinds: []string{"b", "a", "b"}, Worker: "w1"}),
		b.claim(t, portal.Claim{Kinds: []string{"b", "a"}, Worker: "w1", Limit: 2}),
		b.claim(t, portal.Claim{Kinds: []string{"a", "b", "c"}, Worker: "w2", Limit: 100}),
		b.claim(t, portal.Claim{Kinds: []string{"a", "b", "c"}, Worker: "w2", Limit: 100}),
	}
	if diff := cmp.Diff([][]string{{}, {a1}, {b1, a2}, {c1, a3}, {}}, got); diff != "" {
		t.Error(diff)
	}

	// What has ended is nobody's; what is left is claimed again once the lease is over.
	if _, err := b.service.UpdateSubmission(t.Context(), "t", a1, portal.SubmissionUpdate{Status: ptr("done"), Worker: ptr("w1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.service.UpdateSubmission(t.Context(), "t", b1, portal.SubmissionUpdate{Status: ptr("error"), Error: ptr(ptr(""))}); err != nil {
		t.Fatal(err)
	}
	b.exec(t, "UPDATE submissions SET status = 'done' WHERE id = $1", c1) // as the legacy code would
	b.expire(t)
	again, err := b.service.ClaimSubmissions(t.Context(), "t", portal.Claim{Kinds: []string{"a", "b", "c"}, Worker: "w3", Limit: 100, Lease: time.Hour})
	if err != nil || len(again) != 2 || again[0].ID != a2 || again[1].ID != a3 || again[0].Attempts != 2 {
		t.Fatalf("%+v, %v", again, err)
	}
	if left := time.Until(again[0].LeaseUntil); left < 59*time.Minute || left > 61*time.Minute {
		t.Errorf("leased for %s", left)
	}
	want := []string{
		`a submitted {"token": "bff", "status": "queued"}`,
		`a running {"token": "worker token", "status": "running", "worker": "w1", "attempt": 1}`,
		`a reclaimed {"token": "t", "status": "running", "worker": "w3", "attempt": 2}`,
	}
	if diff := cmp.Diff(want, b.trail(t, a2)); diff != "" {
		t.Error(diff)
	}

	// The first worker has lost it, whatever it does.
	_, err = b.service.ExtendLease(t.Context(), a2, "w1", 0)
	wantCode(t, err, portal.CodeConflict)
	for _, status := range []*string{ptr("done"), nil} {
		_, err = b.service.UpdateSubmission(t.Context(), "t", a2, portal.SubmissionUpdate{Status: status, Result: json.RawMessage("{}"), Worker: ptr("w1")})
		wantCode(t, err, portal.CodeConflict)
	}
	lease, err := b.service.ExtendLease(t.Context(), a2, "w3", 2*time.Hour)
	if err != nil || time.Until(lease.LeaseUntil) < 119*time.Minute || lease.Attempts != 2 {
		t.Errorf("%+v, %v", lease, err)
	}
	if _, err := b.service.UpdateSubmission(t.Context(), "t", a2, portal.SubmissionUpdate{Status: ptr("done"), Worker: ptr("w3")}); err != nil {
		t.Error(err)
	}
	_, err = b.service.ExtendLease(t.Context(), a2, "w3", 0)
	wantCode(t, err, portal.CodeConflict)
	_, err = b.service.ExtendLease(t.Context(), "absent", "w3", 0)
	wantCode(t, err, portal.CodeNotFound)
	_, err = b.service.ExtendLease(t.Context(), "legacy", "w3", 0)
	wantCode(t, err, portal.CodeConflict)
	if n := value[int](t, b, "SELECT count(*) FROM service.submission_queue"); n != 2 { // a3, and c1 until it is tidied up
		t.Errorf("%d rows in the queue", n)
	}
	other := portal.New(b.db.Primary(), b.db.Reads())
	if items, err := other.ClaimSubmissions(t.Context(), "t", portal.Claim{Kinds: []string{"a", "c"}, Worker: "w4"}); err != nil || len(items) != 0 {
		t.Errorf("%+v, %v", items, err)
	}
	if left := value[string](t, b, "SELECT string_agg(submission_id, ' ') FROM service.submission_queue"); left != a3 {
		t.Errorf("left in the queue: %s", left)
	}
}

func TestService_ClaimSubmissions_Refuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.queue(t, "a")
	for name, c := range map[string]portal.Claim{
		"no kinds":     {Worker: "w"},
		"empty kind":   {Kinds: []string{""}, Worker: "w"},
		"many kinds":   {Kinds: make([]string, 101), Worker: "w"},
		"no worker":    {Kinds: []string{"a"}},
		"long worker":  {Kinds: []string{"a"}, Worker: string(make([]byte, 201))},
		"limit -1":     {Kinds: []string{"a"}, Worker: "w", Limit: -1},
		"limit 101":    {Kinds: []string{"a"}, Worker: "w", Limit: 101},
		"lease of 1ms": {Kinds: []string{"a"}, Worker: "w", Lease: time.Millisecond},
		"long lease":   {Kinds: []string{"a"}, Worker: "w", Lease: 25 * time.Hour},
		"negative":     {Kinds: []string{"a"}, Worker: "w", Lease: -time.Second},
		"NUL":          {Kinds: []string{"a\x00"}, Worker: "w"},
		"no UTF-8":     {Kinds: []string{"a"}, Worker: "\xff"},
	} {
		_, err := b.service.ClaimSubmissions(t.Context(), "t", c)
		if portal.ErrorCode(err) != portal.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := b.claim(t, portal.Claim{Kinds: []string{"a"}, Worker: "w"}); len(got) != 1 || got[0] != id {
		t.Errorf("left over: %v", got)
	}
}

// TestService_ClaimSubmissions_Workers has twenty workers at the queue, of which some die at any moment with what they
// have. No submission is lost, none has two workers while a lease lasts, and each ends once.
func TestService_ClaimSubmissions_Workers(t *testing.T) {
	t.Parallel()
	b := setup(t, "pool_max_conns=20")
	jobs := 200
	if !testing.Short() {
		jobs = 3000
	}
	for i := range jobs {
		b.queue(t, fmt.Sprintf("kind %d", i%3))
	}
	const lease = 2 * time.Second
	type holder struct {
		worker string
		until  time.Time // the lease lasts longer than that: it began later
	}
	var mu sync.Mutex
	holders, dead, died := map[string]holder{}, map[string]bool{}, 0 // by submission and by worker
	done := map[string]int{}

	// work is one life of a worker; it reports whether it was killed.
	work := func(ctx context.Context, worker string) (killed bool, err error) {
		for deadline := time.Now().Add(2 * time.Minute); ; {
			mu.Lock()
			ended := len(done) == jobs
			mu.Unlock()
			if ended {
				return false, nil
			}
			asked := time.Now()
			if asked.After(deadline) {
				return false, errors.New("not all submissions end")
			}
			items, err := b.service.ClaimSubmissions(ctx, "t", portal.Claim{Kinds: []string{"kind 0", "kind 1", "kind 2"}, Worker: worker, Limit: 1 + rand.IntN(3), Lease: lease})
			if err != nil {
				return false, err
			}
			if len(items) == 0 {
				time.Sleep(100 * time.Millisecond) // between polls, as a worker does
				continue
			}
			mu.Lock()
			for _, item := range items {
				if other := holders[item.ID]; time.Now().Before(other.until) && !dead[other.worker] {
					err = errors.Join(err, fmt.Errorf("%s has %s, which %s was given", other.worker, item.ID, worker))
				}
				if done[item.ID] > 0 {
					err = errors.Join(err, fmt.Errorf("%s was given %s, which has ended", worker, item.ID))
				}
				holders[item.ID] = holder{worker, asked.Add(lease)}
			}
			mu.Unlock()
			if err != nil {
				return false, err
			}
			if rand.IntN(8) == 0 { // it leaves everything as it is
				mu.Lock()
				dead[worker] = true
				died++
				mu.Unlock()
				return true, nil
			}
			for _, item := range items {
				// On a slow machine a lease ends before its worker comes to use it.
				extended := time.Now()
				if _, err := b.service.ExtendLease(ctx, item.ID, worker, lease); portal.ErrorCode(err) == portal.CodeConflict && time.Now().After(asked.Add(lease)) {
					continue
				} else if err != nil {
					return false, fmt.Errorf("%s extends %s: %w", worker, item.ID, err)
				}
				if _, err := b.service.UpdateSubmission(ctx, "t", item.ID, portal.SubmissionUpdate{Status: ptr("done"), Worker: &worker}); portal.ErrorCode(err) == portal.CodeConflict && time.Now().After(extended.Add(lease)) {
					continue
				} else if err != nil {
					return false, fmt.Errorf("%s ends %s: %w", worker, item.ID, err)
				}
				mu.Lock()
				delete(holders, item.ID)
				done[item.ID]++
				mu.Unlock()
			}
		}
	}

	group, ctx := errgroup.WithContext(t.Context())
	for i := range 20 {
		group.Go(func() error {
			for life := 0; ; life++ {
				killed, err := work(ctx, fmt.Sprintf("worker %d.%d", i, life))
				if !killed || err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := value[string](t, b, `SELECT concat_ws(' ', (SELECT count(*) FROM submissions WHERE status = 'done'), (SELECT count(*) FROM submissions),
		(SELECT count(*) FROM service.submission_queue), (SELECT count(*) FROM automation_audits WHERE action = 'completed'))`); got != fmt.Sprintf("%d %d 0 %d", jobs, jobs, jobs) {
		t.Errorf("done, all, left in the queue, events of ending: %s", got)
	}
	for id, n := range done {
		if n != 1 {
			t.Errorf("%s ended %d times", id, n)
		}
	}
	if died == 0 {
		t.Error("no worker was killed")
	}
	t.Logf("%d jobs, %d workers killed", jobs, died)
}

// TestService_ClaimSubmissions_Deadlock claims, cancels and ends the same submissions at once.
func TestService_ClaimSubmissions_Deadlock(t *testing.T) {
	t.Parallel()
	b := setup(t, "pool_max_conns=20")
	var ids []string
	for range 40 {
		ids = append(ids, b.queue(t, "a"))
	}
	var group errgroup.Group
	for range 5 {
		group.Go(func() error {
			for range 40 {
				if _, err := b.service.ClaimSubmissions(t.Context(), "t", portal.Claim{Kinds: []string{"a"}, Worker: "w", Limit: 10, Lease: time.Second}); err != nil {
					return err
				}
			}
			return nil
		})
		group.Go(func() error {
			for _, i := range rand.Perm(len(ids)) {
				_, err := b.service.UpdateSubmission(t.Context(), "t", ids[i], portal.SubmissionUpdate{Status: ptr("error")})
				if err != nil && portal.ErrorCode(err) != portal.CodeConflict {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if n := value[int](t, b, "SELECT count(*) FROM service.submission_queue"); n != 0 {
		t.Errorf("%d rows left in the queue", n)
	}
}

func TestService_Backlog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	backlog := func(seconds float64, running int64) {
		t.Helper()
		got, err := b.service.Backlog(t.Context())
		if err != nil || got.LongRunning != running || math.Abs(got.Oldest.Seconds()-seconds) > 60 {
			t.Errorf("%+v, %v, want %g s and %d", got, err, seconds, running)
		}
	}
	backlog(0, 0)
	b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status, updated_at) VALUES
		('old', 'a', '1', '{}', 'running', now() - interval '2 hours'), ('new', 'a', '1', '{}', 'running', now()),
		('done', 'a', '1', '{}', 'done', now() - interval '2 hours'), ('waits', 'a', '1', '{}', 'queued', now() - interval '2 hours')`)
	backlog(0, 1)
	id := b.queue(t, "a")
	b.queue(t, "b")
	b.exec(t, "UPDATE service.submission_queue SET enqueued_at = now() - interval '3 hours' WHERE submission_id = $1", id)
	backlog(3*3600, 1)
	b.claim(t, portal.Claim{Kinds: []string{"a"}, Worker: "w"})
	backlog(0, 1)
	b.exec(t, "UPDATE service.submission_queue SET lease_until = now() - interval '1 hour' WHERE worker IS NOT NULL")
	backlog(3600, 1)
}
