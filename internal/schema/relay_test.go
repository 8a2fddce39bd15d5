package schema_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"portaldb/internal/pgtest"
)

// moment is where a request stands when a relay asks what to do.
type moment int

const (
	before moment = iota // the client has sent it, the server has not got it
	during               // the server has it
	after                // the server has answered, the client has not got the answer
)

func (m moment) String() string { return []string{"before", "during", "after"}[m] }

// relay stands between a client and a server, and reads PostgreSQL's protocol just so far as to know where requests begin
// and end.
type relay struct {
	listener net.Listener
	server   string
	// at is called at every moment of the requests of the first connection that says anything, counted from 1, with their
	// statements; "prepare; " goes before those that a later request will run. When it returns false, the relay cuts every
	// connection as a network does that is gone: the server keeps what it has got.
	at func(n int, sql string, m moment) bool
	// pid, if not 0, is the server process that the client is told, as a pooler does.
	pid uint32
	// limit, if not 0, is how many bytes of requests or of answers of that first connection pass: then the relay cuts, be it in the
	// middle of a message. passed counts them.
	limit, passed [2]int64
	// silent tells that nothing passes any more, and nobody is told: what comes is taken and forgotten.
	silent atomic.Bool

	mu      sync.Mutex
	conns   []net.Conn
	first   bool
	working sync.WaitGroup
}

// newRelay starts a relay to the database's server and returns its URL for the same database. It ends with the test.
func newRelay(t testing.TB, database string, r *relay) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	r.server = u.Host
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r.working.Go(r.accept)
	t.Cleanup(r.close)
	u.Host = r.listener.Addr().String()
	return u.String()
}

func (r *relay) close() {
	r.listener.Close()
	r.cut()
	r.working.Wait()
}

// cutClients closes the clients' side of every connection: what is on its way still gets to the server.
func (r *relay) cutClients() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := 0; i < len(r.conns); i += 2 {
		r.conns[i].Close()
	}
}

// cut closes every connection.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
	r.conns = nil
}

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.server)
		if err != nil {
			client.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, client, server)
		r.mu.Unlock()
		p := &pipe{relay: r, client: client, server: server}
		for _, work := range []func(){p.copyRequests, p.copyAnswers} {
			r.working.Go(func() {
				work()
				if !r.silent.Load() { // else not even the end gets through
					client.Close()
					server.Close()
				}
			})
		}
	}
}

// direction is the way of bytes through a relay.
type direction int

const (
	requests direction = iota
	answers
)

func (d direction) String() string { return []string{"requests", "answers"}[d] }

// pipe is one connection through a relay.
type pipe struct {
	relay          *relay
	client, server net.Conn
	n              atomic.Int64
	sql            atomic.Value
	first          atomic.Bool
}

// ask calls the relay's function and cuts if it says so.
func (p *pipe) ask(m moment) bool {
	n := int(p.n.Load())
	if n == 0 || p.relay.at == nil || !p.first.Load() {
		return true
	}
	sql, _ := p.sql.Load().(string)
	if p.relay.at(n, sql, m) {
		return true
	}
	p.relay.cut()
	return false
}

// pass sends bytes on their way, as far as the relay lets them.
func (p *pipe) pass(d direction, message []byte) error {
	to := p.server
	if d == answers {
		to = p.client
	}
	r := p.relay
	if r.silent.Load() {
		return nil
	}
	if p.first.Load() {
		r.passed[d] += int64(len(message)) // by this goroutine only
		if limit := r.limit[d]; limit > 0 && r.passed[d] >= limit {
			if _, err := to.Write(message[:int64(len(message))-(r.passed[d]-limit)]); err != nil {
				return err
			}
			r.cut()
			return net.ErrClosed
		}
	}
	_, err := to.Write(message)
	return err
}

func (p *pipe) copyRequests() {
	from := bufio.NewReader(p.client)
	_, start, err := pgtest.ReadMessage(from, false)
	if err == nil {
		p.relay.mu.Lock()
		p.first.Store(!p.relay.first)
		p.relay.first = true
		p.relay.mu.Unlock()
		err = p.pass(requests, start)
	}
	var request []byte
	prepared := map[string]string{} // the statements by the names that the client has given them
	var parsed, bound []string
	for err == nil {
		var kind byte
		var message []byte
		if kind, message, err = pgtest.ReadMessage(from, true); err != nil {
			return
		}
		request = append(request, message...)
		switch kind {
		case 'P': // name, then the statement
			words := bytes.SplitN(message[5:], []byte{0}, 3)
			prepared[string(words[0])] = string(words[1])
			parsed = append(parsed, string(words[1]))
			continue
		case 'B': // portal, then the statement's name
			bound = append(bound, prepared[string(bytes.SplitN(message[5:], []byte{0}, 3)[1])])
			continue
		case 'C', 'D', 'E': // a Sync comes after them
			continue
		case 'Q':
			p.sql.Store(string(bytes.TrimRight(message[5:], "\x00")))
		case 'S':
			if len(bound) == 0 { // they will be run by a later request
				bound = append([]string{"prepare"}, parsed...)
			}
			p.sql.Store(strings.Join(bound, "; "))
			parsed, bound = nil, nil
		}
		if kind == 'Q' || kind == 'S' {
			p.n.Add(1)
			if !p.ask(before) {
				return
			}
		}
		if err = p.pass(requests, request); err == nil && (kind == 'Q' || kind == 'S') && !p.ask(during) {
			return
		}
		request = nil
	}
}

func (p *pipe) copyAnswers() {
	from := bufio.NewReader(p.server)
	for {
		kind, message, err := pgtest.ReadMessage(from, true)
		if err != nil {
			return
		}
		if kind == 'K' && p.relay.pid != 0 {
			binary.BigEndian.PutUint32(message[5:], p.relay.pid)
		}
		if kind == 'Z' && !p.ask(after) {
			return
		}
		if err := p.pass(answers, message); err != nil {
			return
		}
	}
}

// nobody accepts connections and never answers, as a server that hangs. It returns host:port.
func nobody(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	working.Go(func() {
		var conns []net.Conn
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				for _, c := range conns {
					c.Close()
				}
				return
			}
			if err == nil {
				conns = append(conns, conn)
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		working.Wait()
	})
	return listener.Addr().String()
}
