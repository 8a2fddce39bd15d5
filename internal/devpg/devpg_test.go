package devpg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"
)

// helperDir is the variable that makes the test binary a process which starts a server on that
// folder, prints its process id and folder, and waits to be killed.
const helperDir = "DEVPG_TEST_HELPER_DIR"

func TestMain(m *testing.M) {
	if dir, ok := os.LookupEnv(helperDir); ok {
		s, err := Start(context.Background(), Config{Dir: dir, Ephemeral: true})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(s.PID(), s.Dir())
		select {}
	}
	goleak.VerifyTestMain(m)
}

// testDir returns a path for a data folder, which does not exist yet, below folders that the
// server's account can enter.
func testDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "devpg-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "cluster")
}

// start starts a server that is stopped when the test ends.
func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

// startHelper starts a server in another process, which is killed when the test ends.
func startHelper(t *testing.T, dir string) (helper *exec.Cmd, server int, folder string) {
	t.Helper()
	helper = exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperDir+"="+dir)
	helper.Stderr = os.Stderr
	out, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(t, helper) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(line, &server, &folder); err != nil {
		t.Fatal(err)
	}
	return helper, server, folder
}

// kill kills a process with SIGKILL and waits for its end.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
}

// eventually waits until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var value string
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// wantError fails the test if err does not mention every part.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error without %q: %v", part, err)
		}
	}
}

func wantMissing(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there (%v), want nothing", path, err)
	}
}

func TestStart_RestartKeepsDataAndURL(t *testing.T) {
	t.Parallel()
	dir := testDir(t)

	s := start(t, Config{Dir: dir})
	if err := s.EnsureDatabase(t.Context(), `odd "name"`); err != nil {
		t.Fatal(err)
	}
	database := s.URL(`odd "name"`)
	execute(t, database, "CREATE TABLE kept AS SELECT 'here' AS value")
	stop(t, s)
	if err := s.Err(); err != nil {
		t.Errorf("Err after Stop: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "postmaster.pid")); err == nil {
		t.Error("the server still runs after Stop")
	}

	s = start(t, Config{Dir: dir})
	if err := s.EnsureDatabase(t.Context(), `odd "name"`); err != nil {
		t.Errorf("EnsureDatabase of one that exists: %v", err)
	}
	if got := s.URL(`odd "name"`); got != database {
		t.Errorf("URL is %s after a restart, was %s", got, database)
	}
	if got := query(t, database, "SELECT value FROM kept"); got != "here" {
		t.Errorf("value is %q after a restart", got)
	}
	if got := query(t, database, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"); got != User {
		t.Errorf("the database belongs to %s, want %s", got, User)
	}
}

func TestStart_Cluster(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Dir: testDir(t), Settings: map[string]string{"work_mem": "5MB"}})
	for setting, want := range map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"password_encryption":     "scram-sha-256",
		"server_encoding":         "UTF8",
		"wal_segment_size":        "1MB",
		"fsync":                   "on",
		"full_page_writes":        "on",
		"TimeZone":                "UTC",
		"work_mem":                "5MB",
	} {
		if got := query(t, s.URL("postgres"), "SELECT current_setting('"+setting+"')"); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	if got := query(t, s.URL("postgres"), "SELECT lower('ÇÃO') || (SELECT string_agg(x, '' ORDER BY x) FROM unnest('{a,B}'::text[]) x)"); got != "çãoBa" {
		t.Errorf("the locale gives %q, want letters by Unicode and order by code point: çãoBa", got)
	}
	if got := query(t, s.URL("postgres"), "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules"); got != "scram-sha-256" {
		t.Errorf("pg_hba.conf allows %s, want scram-sha-256 only", got)
	}

	if group, err := syscall.Getpgid(s.PID()); err != nil || group != s.PID() {
		t.Errorf("process group of the server is %d (%v): Ctrl-C of a terminal would reach it", group, err)
	}
	data, err := os.Stat(filepath.Join(s.Dir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	owner := int(data.Sys().(*syscall.Stat_t).Uid)
	if (owner == os.Geteuid()) == (os.Geteuid() == 0) {
		t.Errorf("uid %d owns the cluster that uid %d made", owner, os.Geteuid())
	}
	password, err := os.Stat(filepath.Join(s.Dir(), "password"))
	if err != nil {
		t.Fatal(err)
	}
	if password.Mode().Perm() != 0o600 {
		t.Errorf("mode of the password file is %v", password.Mode())
	}
}

func TestStart_Password(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Ephemeral: true})
	for name, password := range map[string]string{"wrong": "guess", "none": ""} {
		u, err := url.Parse(s.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(User, password)
		conn, err := pgx.Connect(t.Context(), u.String())
		if err == nil {
			conn.Close(t.Context())
			t.Errorf("%s password: logged in", name)
			continue
		}
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "28P01" {
			t.Errorf("%s password: %v, want 28P01", name, err)
		}
	}
}

func TestStart_PasswordFileThatIsNotTheClusters(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	stop(t, start(t, Config{Dir: dir, Ephemeral: true}))
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("guess\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Dir: dir, Ephemeral: true})
	wantError(t, err, filepath.Join(dir, "password"), "password authentication failed")
}

func TestStart_TemporaryFolderIsRemoved(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Ephemeral: true})
	if got := query(t, s.URL("postgres"), "SELECT current_setting('fsync')"); got != "off" {
		t.Errorf("fsync = %s", got)
	}
	stop(t, s)
	wantMissing(t, s.Dir())
	if err := s.Stop(); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}

func TestStart_AtOnce(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	const starts = 4
	servers, errs := make([]*Server, starts), make([]error, starts)
	var wg sync.WaitGroup
	for i := range starts {
		wg.Go(func() { servers[i], errs[i] = Start(t.Context(), Config{Dir: dir, Ephemeral: true}) })
	}
	wg.Wait()
	running := 0
	for i, s := range servers {
		if s == nil {
			wantError(t, errs[i], dir, "in use by another portaldb")
			continue
		}
		running++
		query(t, s.URL("postgres"), "SELECT ''")
		stop(t, s)
	}
	if running != 1 {
		t.Errorf("%d of %d starts at once succeeded, want 1", running, starts)
	}
}

func TestStart_PortIsTaken(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	s := start(t, Config{Dir: dir, Ephemeral: true})
	u, err := url.Parse(s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	taken, err := net.Listen("tcp4", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s = start(t, Config{Dir: dir, Ephemeral: true})
	query(t, s.URL("postgres"), "SELECT ''")
}

func TestStart_SettingThatPostgreSQLRefuses(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	_, err := Start(t.Context(), Config{Dir: dir, Ephemeral: true, Settings: map[string]string{"shared_buffers": "some"}})
	wantError(t, err, `invalid value for parameter "shared_buffers"`, filepath.Join(dir, "postgres.log"))
	start(t, Config{Dir: dir, Ephemeral: true}) // nothing of it stays
}

func TestStart_Canceled(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for ctx.Err() == nil { // initdb is at work
			if found, _ := filepath.Glob(filepath.Join(dir, "data.new-*", "PG_VERSION")); len(found) > 0 {
				return
			}
		}
	}()
	if _, err := Start(ctx, Config{Dir: dir}); err == nil {
		t.Fatal("a canceled start succeeded")
	}
	wantMissing(t, filepath.Join(dir, "data"))
	start(t, Config{Dir: dir, Ephemeral: true})
}

func TestStart_InitdbKilled(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperDir+"="+dir)
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(t, helper) })
	eventually(t, "initdb begins", func() bool {
		found, _ := filepath.Glob(filepath.Join(dir, "data.new-*", "PG_VERSION"))
		return len(found) > 0
	})
	kill(t, helper)
	wantMissing(t, filepath.Join(dir, "data"))

	s := start(t, Config{Dir: dir, Ephemeral: true})
	query(t, s.URL("postgres"), "SELECT ''")
}

func TestStart_OtherMajor(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	stop(t, start(t, Config{Dir: dir, Ephemeral: true}))
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Dir: dir, Ephemeral: true})
	wantError(t, err, dir, "belongs to PostgreSQL 9", "--reset")

	if err := Reset(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	start(t, Config{Dir: dir, Ephemeral: true})
}

func TestStart_ForeignFolder(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	thesis := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(thesis, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Dir: dir, Ephemeral: true})
	wantError(t, err, dir, "not empty")
	wantError(t, Reset(t.Context(), dir), dir, "did not make")
	// A file of the lock's name alone makes no folder ours.
	if err := os.WriteFile(filepath.Join(dir, "portaldb.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Config{Dir: dir, Ephemeral: true})
	wantError(t, err, dir, "not empty")
	wantError(t, Reset(t.Context(), dir), dir, "did not make")

	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder has %d entries (%v), want the two from before", len(entries), err)
	}
}

// The folder of a checkout or of --data may lie where the server's account, or this one, has no access.
func TestStart_FolderWithoutAccess(t *testing.T) {
	t.Parallel()
	parent := filepath.Dir(testDir(t))
	if err := os.Chmod(parent, 0o500); err != nil {
		t.Fatal(err)
	}
	above := filepath.Join(parent, "above")
	if os.Geteuid() == 0 {
		if err := os.Mkdir(above, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Start(t.Context(), Config{Dir: filepath.Join(above, "cluster"), Ephemeral: true})
	if os.Geteuid() == 0 {
		wantError(t, err, "may not enter "+parent+":", "chmod o+x "+parent+"`", "--data")
		wantMissing(t, filepath.Join(above, "cluster"))
	} else {
		wantError(t, err, above, "permission denied")
		wantMissing(t, above)
	}
}

func TestStart_NarrowUmask(t *testing.T) {
	old := syscall.Umask(0o077) // of the whole process, so not in parallel
	defer syscall.Umask(old)
	s := start(t, Config{Dir: filepath.Join(testDir(t), "deep", "cluster"), Ephemeral: true})
	query(t, s.URL("postgres"), "SELECT ''")
}

func TestStart_ThroughSymbolicLink(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	link := dir + "-link"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Dir: filepath.Join(link, "cluster"), Ephemeral: true})
	if want := filepath.Join(dir, "cluster"); s.Dir() != want {
		t.Errorf("Dir is %s, want %s", s.Dir(), want)
	}
	_, err := Start(t.Context(), Config{Dir: filepath.Join(dir, "cluster"), Ephemeral: true})
	wantError(t, err, "in use")
}

func TestServer_EndsByItself(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	s := start(t, Config{Dir: dir, Ephemeral: true})
	select {
	case <-s.Done():
		t.Fatal("Done before the end")
	default:
	}
	if err := s.Err(); err != nil {
		t.Fatalf("Err of a running server: %v", err)
	}
	conn, err := pgx.Connect(t.Context(), s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	backend := int(conn.PgConn().PID())

	// A stopped backend outlives its server, as a busy one does for a while.
	if err := syscall.Kill(backend, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	resume := func() { _ = syscall.Kill(backend, syscall.SIGCONT) }
	t.Cleanup(resume)
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	wantError(t, s.Err(), "signal: killed")
	stop(t, s)
	wantError(t, s.Err(), "signal: killed")

	// The next start waits for it, as two servers on one folder would destroy the data.
	go func() {
		for t.Context().Err() == nil {
			log, _ := os.ReadFile(s.LogFile())
			if strings.Contains(string(log), "pre-existing shared memory block") {
				resume()
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	s = start(t, Config{Dir: dir, Ephemeral: true})
	query(t, s.URL("postgres"), "SELECT ''")
}

func TestServer_ParentKilled(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	helper, server, _ := startHelper(t, dir)
	data := filepath.Join(dir, "data")
	if serves, _ := servesData(server, data); !serves {
		t.Fatalf("process %d does not serve %s", server, data)
	}

	_, err := Start(t.Context(), Config{Dir: dir, Ephemeral: true})
	wantError(t, err, "in use by another portaldb", strconv.Itoa(helper.Process.Pid))
	wantError(t, Reset(t.Context(), dir), "in use by another portaldb")

	kill(t, helper)
	if endsWithParent {
		eventually(t, "the server ends with its parent", func() bool {
			serves, _ := servesData(server, data)
			return !serves
		})
	}
	// Elsewhere the next start stops it.
	s := start(t, Config{Dir: dir, Ephemeral: true})
	query(t, s.URL("postgres"), "SELECT ''")
	if serves, _ := servesData(server, data); serves {
		t.Error("two servers on one folder")
	}
}

func TestServer_ParentKilledLeavesNoTemporaryFolder(t *testing.T) {
	t.Parallel()
	helper, server, folder := startHelper(t, "")
	kill(t, helper)
	if endsWithParent {
		eventually(t, "the server ends with its parent", func() bool {
			serves, _ := servesData(server, filepath.Join(folder, "data"))
			return !serves
		})
	}
	start(t, Config{Ephemeral: true})
	wantMissing(t, folder)
}

// A server whose parent has gone, as systems leave it that cannot end it with its parent.
func TestStart_StopsLeftoverServer(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	s := start(t, Config{Dir: dir, Ephemeral: true})
	installed, err := findInstallations(t.Context(), candidates())
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	if err := s.run(installed[0], Config{Ephemeral: true}); err != nil {
		t.Fatal(err)
	}
	leftover := s.process
	t.Cleanup(func() { _ = leftover.stop(syscall.SIGQUIT) })
	if err := s.waitReady(t.Context()); err != nil {
		t.Fatal(err)
	}

	next := start(t, Config{Dir: dir, Ephemeral: true})
	query(t, next.URL("postgres"), "SELECT ''")
	select {
	case <-leftover.done:
	default:
		t.Error("the leftover server still runs")
	}
	stop(t, next)
}

func TestStart_StalePID(t *testing.T) {
	t.Parallel()
	account, err := serverAccount("")
	if err != nil {
		t.Fatal(err)
	}
	other := start(t, Config{Ephemeral: true})
	sleep := account.command(t.Context(), "/bin/sleep", "1000")
	program, err := startProcess(sleep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sleep.Process.Kill()
		<-program.done
	})
	for name, pid := range map[string]int{"of another server": other.PID(), "of another program": sleep.Process.Pid} {
		t.Run(name, func(t *testing.T) {
			dir := testDir(t)
			stop(t, start(t, Config{Dir: dir, Ephemeral: true}))
			stale := filepath.Join(dir, "data", "postmaster.pid")
			if err := os.WriteFile(stale, fmt.Appendf(nil, "%d\n%s\n0\n0\n\n\n\n", pid, filepath.Dir(stale)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := account.own(stale); err != nil {
				t.Fatal(err)
			}
			s := start(t, Config{Dir: dir, Ephemeral: true})
			query(t, s.URL("postgres"), "SELECT ''")
			if err := syscall.Kill(pid, 0); err != nil {
				t.Errorf("the process that has the id now: %v", err)
			}
		})
	}
	query(t, other.URL("postgres"), "SELECT ''")
	select {
	case <-program.done:
		t.Error("the other program was stopped")
	default:
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	if err := Reset(t.Context(), dir); err != nil {
		t.Errorf("reset of a missing folder: %v", err)
	}
	s := start(t, Config{Dir: dir, Ephemeral: true})
	password, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, Reset(t.Context(), dir), "in use")
	stop(t, s)

	stranger := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(stranger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Reset(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "notes.txt" {
		t.Errorf("after a reset the folder has %v (%v), want notes.txt only", entries, err)
	}
	if err := os.Remove(stranger); err != nil {
		t.Fatal(err)
	}
	start(t, Config{Dir: dir, Ephemeral: true})
	if now, err := os.ReadFile(filepath.Join(dir, "password")); err != nil || string(now) == string(password) {
		t.Errorf("the password outlived the reset (%v)", err)
	}
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/xdg")
	t.Setenv("HOME", "/home/someone")
	root := os.Geteuid() == 0
	for _, c := range []struct{ xdg, user string }{
		{"/xdg", "/xdg/portaldb/dev"},
		{"", "/home/someone/.local/share/portaldb/dev"},
		{"relative/is/ignored", "/home/someone/.local/share/portaldb/dev"},
	} {
		t.Setenv("XDG_DATA_HOME", c.xdg)
		want := c.user
		if root {
			want = "/var/lib/portaldb/dev"
		}
		if got, err := DefaultDir(); err != nil || got != want {
			t.Errorf("XDG_DATA_HOME=%q: %s (%v), want %s", c.xdg, got, err, want)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	dir, err := os.MkdirTemp("", "devpg-bench-")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		b.Fatal(err)
	}
	cycle := func(b *testing.B, dir string) {
		s, err := Start(b.Context(), Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.Run("cold", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			cycle(b, filepath.Join(dir, "cold", strconv.Itoa(i)))
		}
	})
	cycle(b, filepath.Join(dir, "warm"))
	b.Run("warm", func(b *testing.B) {
		for b.Loop() {
			cycle(b, filepath.Join(dir, "warm"))
		}
	})
}
