package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"portaldb/internal/httpapi"
)

// TestServe drains a server while a request is under way.
func TestServe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		drainTimeout time.Duration
		finishes     bool
	}{
		"request finishes in time": {time.Minute, true},
		"request is cut off":       {50 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entered, finish := make(chan struct{}), make(chan struct{})
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(entered)
				select {
				case <-finish:
					io.WriteString(w, "finished")
				case <-r.Context().Done():
				}
			})
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			draining := make(chan struct{})
			served := make(chan error)
			go func() {
				served <- httpapi.Serve(ctx, listener, handler, httpapi.ServeConfig{
					Logger:       slog.New(slog.DiscardHandler),
					OnDrain:      func() { close(draining) },
					DrainTimeout: test.drainTimeout,
				})
			}()

			answered := make(chan string)
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			go func() {
				response, err := client.Get("http://" + listener.Addr().String())
				if err != nil {
					answered <- "cut off"
					return
				}
				defer response.Body.Close()
				text, _ := io.ReadAll(response.Body)
				answered <- string(text)
			}()
			<-entered
			stop()
			<-draining
			eventually(t, func() bool {
				conn, err := net.Dial("tcp", listener.Addr().String())
				if err == nil {
					conn.Close()
				}
				return err != nil
			})
			if test.finishes {
				close(finish)
				if got := <-answered; got != "finished" {
					t.Errorf("the request under way was %s", got)
				}
				if err := <-served; err != nil {
					t.Error(err)
				}
				return
			}
			if got := <-answered; got != "cut off" {
				t.Errorf("the request under way was %s", got)
			}
			if err := <-served; err == nil || !strings.HasPrefix(err.Error(), "drain: requests were still under way") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestServe_ListenerFails(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := httpapi.Serve(t.Context(), listener, http.NotFoundHandler(), httpapi.ServeConfig{Logger: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("no error")
	}
}

func TestAPI_Drain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if got := b.request(t, "GET", "/readyz", ""); got.status != 200 || string(got.body) != "{\"status\":\"ready\"}\n" {
		t.Errorf("status %d, %s", got.status, got.body)
	}
	b.api.Drain()
	wantProblem(t, b.request(t, "GET", "/readyz", ""), 503, "unavailable")
	if got := b.request(t, "GET", "/v1/submissions", ""); got.status != 200 {
		t.Errorf("a request after Drain: status %d", got.status)
	}
}
