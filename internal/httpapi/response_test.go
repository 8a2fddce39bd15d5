package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// TestResponse_Stream reads each line of a compressed stream as soon as it is flushed.
func TestResponse_Stream(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	a := New(Config{Logger: slog.New(slog.DiscardHandler)})
	a.mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for i := range 3 {
			fmt.Fprintf(w, "{\"n\":%d}\n", i)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			<-next
		}
		if r.URL.RawQuery == "break" {
			panic("halfway")
		}
	})
	server := httptest.NewServer(a)
	defer server.Close()
	for _, encoding := range []string{"", "gzip", "zstd"} {
		for _, breaks := range []bool{false, true} {
			target := server.URL + "/stream"
			if breaks {
				target += "?break"
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", encoding)
			response, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := response.Header.Get("Content-Encoding"); got != encoding {
				t.Errorf("encoding %q, want %q", got, encoding)
			}
			var body io.Reader = response.Body
			switch encoding {
			case "gzip":
				body, err = gzip.NewReader(body)
			case "zstd":
				decoder, e := zstd.NewReader(body, zstd.WithDecoderConcurrency(1))
				defer decoder.Close()
				body, err = decoder, e
			}
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(body)
			for i := range 3 {
				if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("{\"n\":%d}\n", i) {
					t.Fatalf("%s: %q, %v", encoding, line, err)
				}
				next <- struct{}{}
			}
			if _, err := lines.ReadByte(); breaks == (err == io.EOF) {
				t.Errorf("%s: the end is %v", encoding, err)
			}
			response.Body.Close()
		}
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts(2)
		one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		for i, want := range []time.Duration{0, 0, time.Minute, time.Minute} {
			if got := a.wrong(one, time.Now()); got != want {
				t.Errorf("attempt %d: %s", i, got)
			}
		}
		if got := a.wrong(other, time.Now()); got != 0 {
			t.Errorf("another address: %s", got)
		}
		time.Sleep(40 * time.Second)
		if got := a.wrong(one, time.Now()); got != 20*time.Second {
			t.Errorf("after 40 s: %s", got)
		}
		time.Sleep(20 * time.Second)
		if got := a.wrong(one, time.Now()); got != 0 {
			t.Errorf("after a minute: %s", got)
		}
		for i := range 3 * maxAddresses {
			a.wrong(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), time.Now())
		}
		if len(a.addresses) > maxAddresses {
			t.Errorf("%d addresses", len(a.addresses))
		}
	})
}

func TestCallerOf(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::", "[2001:db8:1:2::9]:1": "2001:db8:1:2::",
		"[fe80::1%eth0]:80": "fe80::", "nonsense": "invalid IP", "": "invalid IP",
	} {
		if got := callerOf(remote).String(); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}

// TestClientOf: only a proxy that is trusted is believed, and of what it got only what it has from another one.
func TestClientOf(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, test := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:80", "", "192.0.2.1:80"},
		{"192.0.2.1:80", "198.51.100.7", "192.0.2.1:80"},
		{"10.0.0.1:80", "", "10.0.0.1:80"},
		{"10.0.0.1:80", "198.51.100.7", "198.51.100.7"},
		{"[::ffff:10.0.0.1]:80", "198.51.100.7", "198.51.100.7"},
		{"[2001:db8::1]:80", "2001:db9::7", "2001:db9::7"},
		{"10.0.0.1:80", "[2001:db9::7]:4711", "[2001:db9::7]:4711"},
		{"10.0.0.1:80", "203.0.113.9, 198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:80", "203.0.113.9 , 198.51.100.7,10.0.0.2", "198.51.100.7"},
		{"10.0.0.1:80", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"10.0.0.1:80", "nonsense", "10.0.0.1:80"},
		{"10.0.0.1:80", "198.51.100.7, nonsense", "10.0.0.1:80"},
		{"10.0.0.1:80", strings.Repeat(",", 100), "10.0.0.1:80"},
		{"nonsense", "198.51.100.7", "nonsense"},
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{}}
		for line := range strings.SplitSeq(test.forwarded, " , ") {
			r.Header.Add("X-Forwarded-For", line)
		}
		if got := clientOf(r, proxies); got != test.want {
			t.Errorf("%s for %q: %s, want %s", test.remote, test.forwarded, got, test.want)
		}
		if got := clientOf(r, nil); got != test.remote {
			t.Errorf("%s for %q, nobody trusted: %s", test.remote, test.forwarded, got)
		}
	}
}

func TestMatchesTag(t *testing.T) {
	t.Parallel()
	if !matchesTag(`W/"a"`, `"a"`) || !matchesTag(strings.Repeat(`"x",`, 1000)+`"a"`, `W/"a"`) || matchesTag(`a`, `"a"`) || matchesTag("", `"a"`) {
		t.Error("tags are told apart wrongly")
	}
}
