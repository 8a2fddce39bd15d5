// Package devpg runs a private PostgreSQL server on this machine, for portaldb dev and for tests.
//
// A cluster lives in a folder of its own and is used by one process at a time. Its server listens on
// 127.0.0.1 only, wants a password, and ends with the process that started it.
package devpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// User is the superuser of every cluster, and the login of every URL.
const User = "postgres"

const (
	// startTimeout bounds one start, crash recovery included.
	startTimeout = 2 * time.Minute
	// startAttempts bounds the starts of one Start; see transient.
	startAttempts = 5
	// stopTimeout is what a shutdown may take before a harder one is asked for.
	stopTimeout = 30 * time.Second
)

// Config says where a cluster lives and how its server runs. The zero value is the development
// cluster of whoever runs the process.
type Config struct {
	// Dir is the folder of the cluster, created if it is missing, and kept. Empty means DefaultDir
	// or, with Ephemeral, a temporary folder that Stop removes.
	Dir string

	// Ephemeral trades durability for speed: a crash of the machine may cost the data.
	Ephemeral bool

	// Settings are server settings by name. They win over those that devpg makes itself, except for
	// where the server listens, and show in the list of processes.
	Settings map[string]string
}

// DefaultDir returns the folder of the development cluster: below the user's data folder
// ($XDG_DATA_HOME, else ~/.local/share), or /var/lib/portaldb/dev for root, because the
// unprivileged account that then runs the server must not need to enter root's home.
func DefaultDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/portaldb/dev", nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "portaldb", "dev"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the default data folder: %w; name one with --data", err)
	}
	return filepath.Join(home, ".local", "share", "portaldb", "dev"), nil
}

// Server is a running PostgreSQL server. Its methods may be called at the same time.
type Server struct {
	folder    *folder
	binaries  installation
	temporary bool // the folder goes when the server stops
	password  string
	port      int

	process  *process
	logStart int64 // where this server's part of the log begins

	stopping atomic.Bool
	stopOnce sync.Once
	stopErr  error
}

// Start makes the cluster if there is none yet, starts its server and returns once it accepts
// logins. ctx bounds the start only; Stop ends the server.
//
// A server that a killed process left on the same folder is stopped first. A folder that another
// process is using, that is not empty and was not made by devpg, that the server's account cannot
// enter, or that no installed version of PostgreSQL can read is an error, and stays as it is.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	installed, err := findInstallations(ctx, candidates())
	if err != nil {
		return nil, err
	}

	temporary := cfg.Ephemeral && cfg.Dir == ""
	f, err := openFolder(cfg.Dir, temporary, installed[0])
	if err != nil {
		return nil, err
	}
	s := &Server{folder: f, temporary: temporary}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()

	if err := f.stopLeftover(ctx); err != nil {
		return nil, err
	}
	binaries, err := f.choose(installed)
	if err != nil {
		return nil, err
	}
	s.binaries = binaries
	if err := f.initialize(ctx, binaries, cfg.Ephemeral); err != nil {
		return nil, err
	}
	if s.password, err = f.password(); err != nil {
		return nil, err
	}
	if err := s.start(ctx, binaries, cfg); err != nil {
		return nil, err
	}
	return s, nil
}

// start runs postgres until it accepts logins. It tries again where that helps: another program may
// take the free port first, and backends of a killed server need a moment to notice.
func (s *Server) start(ctx context.Context, binaries installation, cfg Config) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()

	if err := s.folder.rotateLog(); err != nil {
		return err
	}
	port := s.folder.lastPort()
	for attempt := 1; ; attempt++ {
		var err error
		if s.port, err = freePort(ctx, port); err != nil {
			return err
		}
		if err := s.run(binaries, cfg); err != nil {
			return err
		}
		if err = s.waitReady(ctx); err == nil {
			err = s.folder.rememberPort(s.port)
		}
		if err == nil {
			return nil
		}
		err = errors.Join(err, s.process.stop(syscall.SIGQUIT))
		if !s.transient() || attempt == startAttempts {
			return err
		}
		port = 0
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(attempt) * 200 * time.Millisecond):
		}
	}
}

// run starts one postgres process.
func (s *Server) run(binaries installation, cfg Config) error {
	log, err := os.OpenFile(s.folder.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of PostgreSQL: %w", err)
	}
	defer log.Close() // the server has its own descriptor
	if s.logStart, err = log.Seek(0, io.SeekEnd); err != nil {
		return fmt.Errorf("open the log of PostgreSQL: %w", err)
	}

	settings := map[string]string{
		"lc_messages":  "C",
		"timezone":     "UTC",
		"log_timezone": "UTC",
		// initdb derives 64 MB from the small segments, too little for loading a million rows.
		"max_wal_size": "1GB",
	}
	if cfg.Ephemeral {
		settings["fsync"] = "off"
		settings["synchronous_commit"] = "off"
		settings["full_page_writes"] = "off"
	}
	maps.Copy(settings, cfg.Settings)
	settings["listen_addresses"] = "127.0.0.1"
	settings["port"] = strconv.Itoa(s.port)
	settings["unix_socket_directories"] = ""
	args := []string{"-D", s.folder.data()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}

	cmd := s.folder.account.command(context.Background(), binaries.path("postgres"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = startProcess(cmd); err != nil {
		return fmt.Errorf("start PostgreSQL as %s: %w", s.folder.account, err)
	}
	return nil
}

// waitReady returns once the server accepts the login, or why it never will.
func (s *Server) waitReady(ctx context.Context) error {
	config, err := pgx.ParseConfig(s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("log in to PostgreSQL: %w", err) // the PG* variables have a say
	}
	const longest = 50 * time.Millisecond
	for delay := 2 * time.Millisecond; ; delay = min(2*delay, longest) {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			return conn.Close(ctx)
		}
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(refused.Code, "28") {
			return fmt.Errorf("log in to PostgreSQL with the password of %s: %s", s.folder.passwordFile(), refused.Message)
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("start PostgreSQL: %s%s", s.process.state(), s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL: %w%s", ctx.Err(), s.logTail())
		case <-time.After(delay):
		}
	}
}

// transient says whether the log of a failed start gives a reason that goes away by itself.
func (s *Server) transient() bool {
	tail := s.logTail()
	return strings.Contains(tail, "could not create any TCP/IP sockets") ||
		strings.Contains(tail, "pre-existing shared memory block")
}

// URL returns the connection URL of a database, password included: never print it to a log.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(User, s.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Dir returns the folder of the cluster.
func (s *Server) Dir() string { return s.folder.dir }

// ClientDir returns a folder for what the caller keeps with the cluster, such as a token for it: only
// the caller's account can enter it, and Reset removes it. It is created if it is missing.
func (s *Server) ClientDir() (string, error) {
	dir := s.folder.path(clientName)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("create the client's folder: %w", err)
	}
	return dir, nil
}

// Program returns the path of a client program of the server's own version, such as pg_dump; only its name where the
// installation lacks it, to be looked for in PATH.
func (s *Server) Program(name string) string {
	if path := s.binaries.path(name); isFile(path) {
		return path
	}
	return name
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// LogFile returns the file that the server writes its log to.
func (s *Server) LogFile() string { return s.folder.logFile() }

// PID returns the process id of the server, for tests that want to kill it.
func (s *Server) PID() int { return s.process.cmd.Process.Pid }

// EnsureDatabase creates a database unless it exists.
func (s *Server) EnsureDatabase(ctx context.Context, name string) (err error) {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()

	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists); err != nil {
		return fmt.Errorf("look for database %s: %w", name, err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// Done returns a channel that is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Err returns why the server ended by itself, with the end of its log. It returns nil while the
// server runs and after Stop.
func (s *Server) Err() error {
	select {
	case <-s.process.done:
	default:
		return nil
	}
	if s.stopping.Load() {
		return nil
	}
	return fmt.Errorf("PostgreSQL ended by itself: %s%s", s.process.state(), s.logTail())
}

// Stop disconnects every client, shuts the server down cleanly, waits for its end and lets go of the
// folder. Further calls return what the first one did.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		select {
		case <-s.process.done: // Err keeps its answer
		default:
			s.stopping.Store(true)
		}
		shutdown := syscall.SIGINT // "fast"
		if s.temporary {
			shutdown = syscall.SIGQUIT // "immediate": no checkpoint of what is removed next
		}
		s.stopErr = errors.Join(s.process.stop(shutdown), s.release())
	})
	return s.stopErr
}

// release lets go of the folder, and removes it if it is a temporary one.
func (s *Server) release() error {
	var err error
	if s.temporary {
		err = os.RemoveAll(s.folder.dir)
	}
	return errors.Join(err, s.folder.unlock())
}

// logTail returns the last lines that this server logged, on lines of their own, or nothing.
func (s *Server) logTail() string {
	const (
		mostBytes = 8 << 10
		mostLines = 10
	)
	log, err := os.Open(s.folder.logFile())
	if err != nil {
		return ""
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return ""
	}
	start := max(s.logStart, info.Size()-mostBytes)
	tail, err := io.ReadAll(io.NewSectionReader(log, start, mostBytes))
	if err != nil || len(tail) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(tail)), "\n")
	lines = lines[max(0, len(lines)-mostLines):]
	return fmt.Sprintf("\n%s:\n\t%s", log.Name(), strings.Join(lines, "\n\t"))
}

// freePort returns a free port of 127.0.0.1: the wanted one if it is free.
func freePort(ctx context.Context, wanted int) (int, error) {
	var config net.ListenConfig
	var failed error
	for _, port := range slices.Compact([]int{wanted, 0}) {
		listener, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			failed = err
			continue
		}
		return listener.Addr().(*net.TCPAddr).Port, listener.Close()
	}
	return 0, fmt.Errorf("find a free port: %w", failed)
}
