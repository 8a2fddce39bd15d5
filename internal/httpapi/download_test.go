package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAttachment reads the name as a client does: it is the one that was given, and the header holds nothing else.
func TestAttachment(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf":                `attachment; filename="report.pdf"`,
		"ofício nº 1.pdf":           `attachment; filename="of_cio n_ 1.pdf"; filename*=UTF-8''of%C3%ADcio%20n%C2%BA%201.pdf`,
		`a"b\c.txt`:                 `attachment; filename="a_b_c.txt"; filename*=UTF-8''a%22b%5Cc.txt`,
		"100%.txt":                  `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`,
		"a\r\nSet-Cookie: x=1.html": `attachment; filename="a__Set-Cookie: x=1.html"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x%3D1.html`,
		"\xff":                      `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`,
		"😀":                         `attachment; filename="_"; filename*=UTF-8''%F0%9F%98%80`,
	} {
		if got := attachment(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.String().Draw(r, "name")
		value := attachment(name)
		for _, c := range []byte(value) {
			if c < ' ' || c > '~' {
				r.Fatalf("%q has the byte %d", value, c)
			}
		}
		kind, params, err := mime.ParseMediaType(value)
		if err != nil || kind != "attachment" || params["filename"] != strings.ToValidUTF8(name, "\ufffd") || len(params) != 1 {
			r.Fatalf("%q: %s %q, %v", value, kind, params, err)
		}
		if quoted := value[strings.IndexByte(value, '"')+1:]; strings.IndexByte(quoted, '"') < 0 || strings.ContainsAny(quoted[:strings.IndexByte(quoted, '"')], `\/`) {
			r.Fatalf("%q: what stands between the quotes ends early or has a folder", value)
		}
	})
}

// fromRecorder is a connection as net/http gives it to a handler: it takes a file without reading it itself.
type fromRecorder struct {
	*httptest.ResponseRecorder
	files int // how many parts were a limited part of a file, as sendfile needs it
	other int
}

func (f *fromRecorder) ReadFrom(src io.Reader) (int64, error) {
	part, ok := src.(*io.LimitedReader)
	if ok {
		_, ok = part.R.(*os.File)
	}
	if ok {
		f.files++
	} else {
		f.other++
	}
	return io.Copy(f.Body, src)
}

// TestSender_Sendfile shows that a file gets to net/http as a file, which then uses sendfile, whole and in ranges.
func TestSender_Sendfile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "content")
	content := bytes.Repeat([]byte("0123456789abcdef"), 40_000)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string][]byte{"": content, "bytes=0-9": content[:10], "bytes=100000-": content[100_000:], "bytes=-70000": content[len(content)-70_000:]} {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		under := &fromRecorder{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", "gzip") // a part of a file is not compressed
		if header != "" {
			r.Header.Set("Range", header)
		}
		out := &response{ResponseWriter: under, request: r}
		out.Header().Set("Content-Type", "text/plain")
		var begun []int64
		s := &sender{response: out, control: http.NewResponseController(out), stall: time.Second, start: func(continued int64) error {
			begun = append(begun, continued)
			return nil
		}}
		http.ServeContent(s, r, "", time.Time{}, file)
		if under.files == 0 || under.other != 0 {
			t.Errorf("%q: %d parts as a file, %d otherwise", header, under.files, under.other)
		}
		if !bytes.Equal(under.Body.Bytes(), want) || out.bytes != int64(len(want)) || under.Header().Get("Content-Encoding") != "" {
			t.Errorf("%q: %d bytes, %d counted, want %d", header, under.Body.Len(), out.bytes, len(want))
		}
		rest := int64(0)
		if strings.HasPrefix(header, "bytes=1") || strings.HasPrefix(header, "bytes=-") {
			rest = int64(len(want))
		}
		if len(begun) != 1 || begun[0] != rest {
			t.Errorf("%q: begun %v", header, begun)
		}
	}
}

// TestSender_Truncated proves that a file which turns out shorter than it was does not end as if it were whole.
func TestSender_Truncated(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	out := &response{ResponseWriter: &fromRecorder{ResponseRecorder: httptest.NewRecorder()}, request: r}
	s := &sender{response: out, control: http.NewResponseController(out), stall: time.Second, start: func(int64) error { return nil }}
	http.ServeContent(s, r, "", time.Time{}, longerThan{strings.NewReader("short")})
	if !errors.Is(s.err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", s.err)
	}
}

// longerThan claims to have more than there is.
type longerThan struct{ *strings.Reader }

func (l longerThan) Seek(offset int64, whence int) (int64, error) {
	at, err := l.Reader.Seek(offset, whence)
	if whence == io.SeekEnd {
		at += 1000
	}
	return at, err
}

// TestSteadyBody reads bodies from clients that take their time: a steady one may take longer than the stall in all, one that
// pauses, or that trickles, may not; what the reader does meanwhile is not the client's time.
func TestSteadyBody(t *testing.T) {
	t.Parallel()
	const stall = 400 * time.Millisecond
	for name, test := range map[string]struct {
		send func(conn net.Conn)
		work time.Duration // between two reads
		size int
		err  string
	}{
		"steady": {func(conn net.Conn) {
			for range 10 {
				time.Sleep(stall / 4)
				_, _ = conn.Write(make([]byte, fileChunk))
			}
		}, 0, 10 * fileChunk, ""},
		"pauses": {func(conn net.Conn) { _, _ = conn.Write(make([]byte, fileChunk)) }, 0, 2 * fileChunk, "did not arrive in time"},
		"trickles": {func(conn net.Conn) {
			for range 1000 {
				time.Sleep(stall / 20)
				if _, err := conn.Write([]byte("x")); err != nil {
					return
				}
			}
		}, 0, 1000, "did not arrive in time"},
		"slow work": {func(conn net.Conn) { _, _ = conn.Write(make([]byte, 3*fileChunk)) }, stall + 50*time.Millisecond, 3 * fileChunk, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := make(chan error, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body := steadyBody(bodyReader{r.Body}, http.NewResponseController(w), stall)
				buffer := make([]byte, fileChunk)
				for {
					_, err := body.Read(buffer)
					if err != nil {
						result <- err
						return
					}
					time.Sleep(test.work)
				}
			}))
			t.Cleanup(server.Close)
			conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", test.size)
			go test.send(conn)
			err = <-result
			if test.err == "" && !errors.Is(err, io.EOF) || test.err != "" && !strings.Contains(err.Error(), test.err) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// TestSender_Stall sends to a client that reads steadily for longer than the stall, and to one that stops.
func TestSender_Stall(t *testing.T) {
	t.Parallel()
	const stall, size = 500 * time.Millisecond, 32 << 20
	path := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	a := New(Config{Logger: slog.New(slog.DiscardHandler)})
	a.mux.HandleFunc("GET /file", func(w http.ResponseWriter, r *http.Request) {
		file, err := os.Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer file.Close()
		s := &sender{response: w.(*response), control: http.NewResponseController(w), stall: stall, start: func(int64) error { return nil }}
		http.ServeContent(s, r, "", time.Time{}, file)
		result <- s.err
	})
	server := httptest.NewUnstartedServer(a)
	server.Config.WriteTimeout = stall / 2
	server.Start()
	t.Cleanup(server.Close)
	read := func(pause time.Duration, most int) int {
		response, err := server.Client().Get(server.URL + "/file")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if length := response.Header.Get("Content-Length"); length != strconv.Itoa(size) {
			t.Fatalf("Content-Length %s", length)
		}
		buffer, got := make([]byte, 1<<20), 0
		for got < most {
			n, err := io.ReadFull(response.Body, buffer)
			got += n
			if err != nil {
				break
			}
			time.Sleep(pause)
		}
		if most < size {
			if err := <-result; err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a client that has stopped: %v", err)
			}
		}
		return got
	}
	if got := read(40*time.Millisecond, size); got != size {
		t.Errorf("a steady client got %d bytes of %d", got, size)
	}
	if err := <-result; err != nil {
		t.Errorf("a steady client: %v", err)
	}
	read(0, 1<<20)
}
