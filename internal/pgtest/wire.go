package pgtest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Wire stands between a client and a database and counts how often the client asks: a Sync or a statement of the simple
// protocol, COPY too, after which it has to wait for the server. What pgxpool asks a connection that has been idle does
// not count.
type Wire struct {
	URL   string // of the same database, without TLS
	trips atomic.Int64
}

// NewWire returns a wire to the database. It ends with the test.
func NewWire(t testing.TB, database string) *Wire {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	server := u.Host
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.Host = listener.Addr().String()
	w := &Wire{URL: u.String()}
	var working sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	working.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			backend, err := new(net.Dialer).DialContext(t.Context(), "tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, client, backend)
			mu.Unlock()
			for _, pass := range []func(){
				func() { w.count(backend, client) },
				func() { _, _ = io.Copy(client, backend) },
			} {
				working.Go(func() {
					pass()
					_ = client.Close()
					_ = backend.Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		working.Wait()
	})
	return w
}

// Count returns how often the client asks while run lasts.
func (w *Wire) Count(run func()) int {
	before := w.trips.Load()
	run()
	return int(w.trips.Load() - before)
}

// count passes messages on.
func (w *Wire) count(to io.Writer, from io.Reader) {
	messages := bufio.NewReader(from)
	for first := true; ; first = false {
		kind, message, err := ReadMessage(messages, !first)
		if err != nil {
			return
		}
		if kind == 'S' || kind == 'Q' && !strings.HasPrefix(string(message[5:]), "-- ping") {
			w.trips.Add(1)
		}
		if _, err := to.Write(message); err != nil {
			return
		}
	}
}

// ReadMessage reads one message of PostgreSQL's protocol, whole: its type, unless it is the one that opens a connection, whose
// kind is 0; the length of the rest with these four bytes; and the rest.
func ReadMessage(r io.Reader, typed bool) (kind byte, message []byte, err error) {
	head := make([]byte, 5)
	if !typed {
		head = head[:4]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(head[len(head)-4:])
	if length < 4 || length > 1<<30 {
		return 0, nil, fmt.Errorf("a message of %d bytes", length)
	}
	message = append(bytes.Clone(head), make([]byte, length-4)...)
	if _, err := io.ReadFull(r, message[len(head):]); err != nil {
		return 0, nil, err
	}
	if typed {
		kind = head[0]
	}
	return kind, message, nil
}
