package schema_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
)

// spread is a place from 0 to 1 for each i, such that however many of them lie evenly.
func spread(i int) float64 {
	_, place := math.Modf(float64(i) * math.Phi)
	return place
}

// TestFailures_cut_in_a_message cuts the connection after so many bytes of the requests, or of the answers, of the run of each
// file, wherever in a message that is.
func TestFailures_cut_in_a_message(t *testing.T) {
	t.Parallel()
	sets := map[string]func(testing.TB, string) *patient{"zoo": zoo}
	if !testing.Short() {
		sets["portal"] = portal
	}
	for name, of := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			twin, p := of(t, pgtest.Empty(t)), of(t, pgtest.Empty(t))
			cuts, i := map[direction]int{}, 0
			for version := p.settled(t, "before"); version < p.engine.Latest(); {
				next := version + 1
				whole := &relay{}
				if _, err := open(t, newRelay(t, twin.url, whole), twin.set).Up(t.Context(), next); err != nil {
					t.Fatal(err)
				}
				whole.close()
				// In turns, so that each direction has its turn before anything is applied.
				for n := 0; n < sized(1, max(2, 90/len(p.files))) && version < next; n++ {
					i++
					d := direction(i % 2)
					r := &relay{}
					r.limit[d] = 1 + int64(spread(i)*float64(whole.passed[d]-1))
					what := fmt.Sprintf("%s, cut after %d of %d bytes of the %s", p.files[next-1].Name, r.limit[d], whole.passed[d], d)
					_, err := open(t, newRelay(t, p.url, r), p.set).Up(t.Context(), next)
					r.close()
					at := p.settled(t, what)
					wantTrue(t, what, err, version, at)
					if err != nil {
						cuts[d]++
					}
					switch at {
					case version:
					case next:
						version = next
						p.advanced(t, version)
					default:
						t.Fatalf("%s: from version %d to %d", what, version, at)
					}
				}
				if version < next {
					if _, err := p.engine.Up(t.Context(), next); err != nil {
						t.Fatalf("up to %d after its cuts: %v", next, err)
					}
					version = next
					p.advanced(t, version)
				}
			}
			p.finish(t, "at the end")
			total := cuts[requests] + cuts[answers]
			t.Logf("%d cuts: %v", total, cuts)
			if least := sized(4, 60); total < least {
				t.Errorf("only %d cuts, want %d", total, least)
			}
		})
	}
}

// TestRollbackFailures_cut_in_a_message is the same for rollbacks and restores.
func TestRollbackFailures_cut_in_a_message(t *testing.T) {
	t.Parallel()
	s := newShuttle(t, pgtest.Empty(t))
	run := map[string]func(r *relay) error{
		"rollback": func(r *relay) error {
			_, err := open(t, newRelay(t, s.url, r), os.DirFS(s.dir)).Rollback(t.Context(), to(1))
			r.close()
			return err
		},
		"restore": func(r *relay) error {
			_, err := open(t, newRelay(t, s.url, r), os.DirFS(s.dir)).UpRestoring(t.Context(), 0, "")
			r.close()
			return err
		},
	}
	cuts, whole := map[string]int{}, map[string]*relay{}
	for i := range 1 + sized(1, 32) {
		for _, how := range []string{"rollback", "restore"} {
			r, d, what := &relay{}, direction(i%2), "a whole "+how
			if i == 0 {
				whole[how] = r
			} else {
				r.limit[d] = 1 + int64(spread(i)*float64(whole[how].passed[d]-1))
				what = fmt.Sprintf("%s, cut after %d of %d bytes of the %s", how, r.limit[d], whole[how].passed[d], d)
			}
			from := s.settled(t, what)
			err := run[how](r)
			if err != nil {
				cuts[how]++
			}
			now, end := s.settled(t, what), int64(1)
			if how == "restore" {
				end = s.engine.Latest()
			}
			switch {
			case err == nil: // the lock frees itself
				if now != end {
					t.Errorf("%s: at version %d, and no error", what, now)
				}
			case i == 0:
				t.Fatal(err)
			case now == end && strings.Contains(err.Error(), "the rollback is done, at version 1"):
			default:
				wantTrue(t, what, err, from, now)
			}
			if how == "rollback" {
				s.back(t, what)
			} else {
				s.forth(t, what)
			}
		}
	}
	t.Logf("%d cuts: %v", cuts["rollback"]+cuts["restore"], cuts)
	for _, how := range []string{"rollback", "restore"} {
		if least := sized(1, 30); cuts[how] < least {
			t.Errorf("only %d cuts of a %s, want %d", cuts[how], how, least)
		}
	}
}

// TestFailures_silence: in the middle of a transaction the network lets nothing through any more, while something on the way answers
// for the other side, so that neither kernel can know. The server gives up its part, and the next up finishes while the
// first one still waits; that one ends when it is told to, and says what it knows.
func TestFailures_silence(t *testing.T) {
	t.Parallel()
	p := zoo(t, pgtest.Empty(t))
	if _, err := p.engine.Up(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	db := connect(t, p.url)
	r := &relay{}
	at := interruption{from: "begin;alter table zoo.animal add column mood", n: 1, m: after}
	reached := at.reached(func() { r.silent.Store(true) })
	r.at = func(n int, sql string, m moment) bool {
		reached(n, sql, m) // the lock is held, the answer is lost
		return true
	}
	ctx, cancel := context.WithCancel(t.Context())
	returned := make(chan error, 1)
	behind := openWith(t, schema.Config{URL: newRelay(t, p.url, r), FS: p.set}.WithIdle(sized(2*time.Second, 10*time.Second)))
	go func() {
		_, err := behind.Up(ctx, 0)
		returned <- err
	}()
	const orphan = `select count(*) > 0 from pg_stat_activity where datname = current_database() and application_name like 'portaldb up%'`
	waitFor(t, func() bool { return r.silent.Load() && scan[bool](t, db, orphan+` and state = 'idle in transaction'`) })
	waitFor(t, func() bool { return !scan[bool](t, db, orphan) })
	select {
	case err := <-returned:
		t.Fatalf("the run has noticed: %v", err)
	default:
	}
	if version := p.version(t, db); version != 1 {
		t.Errorf("at version %d", version)
	}
	if _, err := p.engine.Up(t.Context(), 0); err != nil {
		t.Errorf("the next up: %v", err)
	}
	cancel()
	err := <-returned
	var failed *schema.MigrationError
	if !errors.As(err, &failed) || !errors.Is(err, context.Canceled) || !strings.Contains(failed.State, "cannot be reached") {
		t.Errorf("got %v", err)
	}
	wantTrue(t, "silence", err, 1, p.engine.Latest())
}

// TestEngine_Up_notices_silence: both sides of a run's connection ask each other's kernel whether it is there. What comes of
// that the kernels do.
func TestEngine_Up_notices_silence(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	set := files(`create table asked as select current_setting('tcp_keepalives_idle')::int + current_setting('tcp_keepalives_count')::int *
		current_setting('tcp_keepalives_interval')::int as seconds, current_setting('tcp_user_timeout')::int * interval '1 millisecond' as unanswered,
		current_setting('idle_in_transaction_session_timeout')::interval as idle, current_setting('idle_session_timeout')::interval as nothing;`)
	if _, err := open(t, url, set).Up(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	got := scan[string](t, connect(t, url), `select format('%s %s %s %s', seconds * interval '1 second', unanswered, idle, nothing) from asked`)
	if want := "@ 1 min @ 1 min @ 1 min @ 5 mins"; got != want {
		t.Errorf("the server: %s, want %s", got, want)
	}
}
