package devpg

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The entries of a cluster's folder. Reset removes these and no others.
const (
	lockName     = "portaldb.lock" // locked while in use; its first line marks the folder as ours
	dataName     = "data"          // what PostgreSQL calls the data directory
	newDataName  = "data.new-*"    // initdb at work, or left by one that was killed
	passwordName = "password"
	portName     = "port"
	logName      = "postgres.log"
	oldLogName   = "postgres.log.old"
	clientName   = "client" // what the program that uses the cluster keeps with it
)

// mark is the first line of the lock file.
const mark = "portaldb: a development cluster, to be removed by portaldb dev --reset\n"

// temporaryPrefix begins the names of temporary folders.
const temporaryPrefix = "portaldb-pg-"

// folder is the folder of a cluster, locked by this process.
type folder struct {
	dir     string // absolute, free of symbolic links
	account account
	lock    *os.File
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }
func (f *folder) data() string            { return f.path(dataName) }
func (f *folder) logFile() string         { return f.path(logName) }
func (f *folder) passwordFile() string    { return f.path(passwordName) }

// openFolder creates what is missing of a cluster's folder and locks it. An empty name stands for
// DefaultDir or a new temporary folder.
func openFolder(dir string, temporary bool, binaries installation) (_ *folder, err error) {
	remedy := "name another folder with --data"
	switch {
	case temporary:
		removeLeftovers()
		dir, remedy = os.TempDir(), "name another folder with TMPDIR"
	case dir == "":
		if dir, err = DefaultDir(); err != nil {
			return nil, err
		}
	}
	if dir, err = resolve(dir); err != nil {
		return nil, err
	}
	f := &folder{dir: dir}
	if f.account, err = serverAccount(f.data()); err != nil {
		return nil, err
	}
	if err := f.account.checkEnter(dir, binaries, remedy); err != nil {
		return nil, err
	}

	if temporary {
		if f.dir, err = os.MkdirTemp(dir, temporaryPrefix); err != nil {
			return nil, err
		}
		if f.account.cred != nil {
			err = os.Chmod(f.dir, 0o711) //nolint:gosec // the account has to pass
		}
	} else {
		err = f.make()
	}
	if err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	if err := f.acquire(); err != nil {
		return nil, err
	}
	return f, nil
}

// resolve returns the absolute path of dir without symbolic links, of which the end may not exist.
func resolve(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the data folder: %w", err)
	}
	for above, rest := dir, ""; ; above, rest = filepath.Dir(above), filepath.Join(filepath.Base(above), rest) {
		resolved, err := filepath.EvalSymlinks(above)
		if err == nil {
			return filepath.Join(resolved, rest), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find the data folder: %w", err)
		}
	}
}

// make creates the folder and those above it, such that the account can enter them whatever the
// umask is. It refuses a folder that has something else in it.
func (f *folder) make() error {
	entries, err := os.ReadDir(f.dir)
	switch {
	case err == nil:
		ours := func(e os.DirEntry) bool { return e.Name() == lockName }
		if len(entries) > 0 && !slices.ContainsFunc(entries, ours) {
			return f.errForeign()
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	mode := fs.FileMode(0o700)
	if f.account.cred != nil {
		mode = 0o755
	}
	var missing []string
	for dir := f.dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		if err := os.Mkdir(dir, mode); errors.Is(err, fs.ErrExist) {
			continue // by another start at the same time
		} else if err != nil {
			return err
		}
		if err := os.Chmod(dir, mode); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) errForeign() error {
	return fmt.Errorf("%s is not empty, and portaldb did not make it: name a new or an empty folder", f.dir)
}

// acquire takes the lock and marks the folder as ours.
func (f *folder) acquire() error {
	if err := f.tryLock(os.O_CREATE); err != nil {
		return err
	}
	if marked, err := f.marked(); err != nil {
		return errors.Join(err, f.unlock())
	} else if !marked {
		entries, err := os.ReadDir(f.dir)
		if err == nil && len(entries) > 1 {
			err = f.errForeign()
		}
		if err != nil {
			return errors.Join(err, f.unlock())
		}
	}
	if _, err := f.lock.WriteAt(fmt.Appendf(nil, "%s%-20d\n", mark, os.Getpid()), 0); err != nil {
		return errors.Join(fmt.Errorf("mark the data folder: %w", err), f.unlock())
	}
	return nil
}

// tryLock locks the folder for as long as this process lives, or says who has locked it. The lock
// file is opened with the given flag.
func (f *folder) tryLock(flag int) error {
	for {
		lock, err := os.OpenFile(f.path(lockName), os.O_RDWR|flag, 0o600)
		if err != nil {
			return fmt.Errorf("lock the data folder: %w", err)
		}
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			content, _ := io.ReadAll(lock)
			lock.Close()
			if !errors.Is(err, syscall.EWOULDBLOCK) {
				return fmt.Errorf("lock the data folder %s: %w", f.dir, err)
			}
			who := "another portaldb"
			if pid := bytes.TrimSpace(bytes.TrimPrefix(content, []byte(mark))); len(pid) > 0 {
				who += fmt.Sprintf(" (process %s)", pid)
			}
			return fmt.Errorf("the data folder %s is in use by %s: stop that one, or name another folder with --data", f.dir, who)
		}
		// A reset may have removed the file between the two calls: then this lock locks nothing.
		held, err := lock.Stat()
		if err != nil {
			return errors.Join(fmt.Errorf("lock the data folder: %w", err), lock.Close())
		}
		if named, err := os.Stat(f.path(lockName)); err == nil && os.SameFile(held, named) {
			f.lock = lock
			return nil
		}
		if err := lock.Close(); err != nil {
			return fmt.Errorf("lock the data folder: %w", err)
		}
	}
}

// marked says whether devpg made the folder. The mark is only ever written under the lock.
func (f *folder) marked() (bool, error) {
	content, err := os.ReadFile(f.path(lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the mark of the data folder: %w", err)
	}
	return bytes.HasPrefix(content, []byte(mark)), nil
}

func (f *folder) unlock() error { return f.lock.Close() }

// Reset removes the cluster in dir; an empty dir means DefaultDir. It refuses a folder that devpg did
// not make or that is in use, and touches nothing in it that devpg did not put there. A folder that
// does not exist or is empty is fine.
func Reset(ctx context.Context, dir string) (err error) {
	if dir == "" {
		if dir, err = DefaultDir(); err != nil {
			return err
		}
	}
	if dir, err = resolve(dir); err != nil {
		return err
	}
	f := &folder{dir: dir}
	if entries, err := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	} else if err != nil {
		return fmt.Errorf("reset the data folder: %w", err)
	}
	// Before the lock is taken, so as not to be in the way of a start that is about to mark it.
	if marked, err := f.marked(); err != nil {
		return err
	} else if !marked {
		return fmt.Errorf("reset %s: portaldb did not make this folder", dir)
	}
	if err := f.tryLock(0); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.unlock()) }()

	if err := f.stopLeftover(ctx); err != nil {
		return err
	}
	// The lock file goes last: until then the folder is ours to reset again.
	for _, name := range []string{dataName, newDataName, passwordName, portName, logName, oldLogName, clientName, lockName} {
		if err := f.removeAll(name); err != nil {
			return fmt.Errorf("reset the data folder: %w", err)
		}
	}
	_ = os.Remove(dir) // may hold files of others, or be a mount point
	return nil
}

// removeAll removes the entries whose names match the pattern.
func (f *folder) removeAll(pattern string) error {
	entries, err := os.ReadDir(f.dir)
	for _, e := range entries {
		if match, _ := filepath.Match(pattern, e.Name()); match {
			err = errors.Join(err, os.RemoveAll(f.path(e.Name())))
		}
	}
	return err
}

// removeLeftovers removes the temporary folders of processes that were killed.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), temporaryPrefix+"*"))
	for _, dir := range dirs {
		// Anyone may put a folder there: a stranger's is no business of ours.
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || int(info.Sys().(*syscall.Stat_t).Uid) != os.Geteuid() {
			continue
		}
		_ = Reset(context.Background(), dir) // those in use refuse
	}
}

// choose returns the installation that can read the folder's data, or the preferred one if there
// are none yet.
func (f *folder) choose(installed []installation) (installation, error) {
	version, err := os.ReadFile(filepath.Join(f.data(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return installed[0], nil
	}
	if err != nil {
		return installation{}, fmt.Errorf("read the version of the data folder: %w", err)
	}
	for _, inst := range installed {
		if strconv.Itoa(inst.major) == strings.TrimSpace(string(version)) {
			return inst, nil
		}
	}
	return installation{}, fmt.Errorf("the data folder %s belongs to PostgreSQL %s, but %s is installed: install that version, or begin anew with --reset",
		f.dir, strings.TrimSpace(string(version)), majors(installed))
}

// initialize makes the cluster, unless there is one. It appears under its name only when it is whole.
func (f *folder) initialize(ctx context.Context, binaries installation, noSync bool) (err error) {
	if _, err := os.Stat(f.data()); err == nil {
		return nil
	}
	// An initdb whose parent was killed may still be busy ending, hence a new name, and hence what
	// cannot be removed yet is left to the next time.
	_ = f.removeAll(newDataName)
	data, err := os.MkdirTemp(f.dir, newDataName)
	if err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.removeAll(newDataName))
		}
	}()
	if err := f.account.own(data); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	if err := os.WriteFile(f.passwordFile(), []byte(rand.Text()+"\n"), 0o600); err != nil {
		return fmt.Errorf("store the password: %w", err)
	}
	if err := f.account.own(f.passwordFile()); err != nil {
		return fmt.Errorf("store the password: %w", err)
	}

	args := []string{
		"--pgdata=" + data, "--username=" + User, "--pwfile=" + f.passwordFile(), "--auth=scram-sha-256",
		"--encoding=UTF8", "--wal-segsize=1", "--no-instructions",
	}
	if noSync {
		args = append(args, "--no-sync")
	}
	// Order by code point and letters by Unicode; not every system has a locale for both.
	for _, locale := range [][]string{
		{"--locale=C.UTF-8"},
		{"--locale=C", "--lc-ctype=en_US.UTF-8"},
		{"--locale=C"},
	} {
		if err = f.initdb(ctx, binaries, slices.Concat(args, locale)); err == nil {
			return os.Rename(data, f.data())
		}
		if !strings.Contains(err.Error(), "invalid locale") {
			return err
		}
	}
	return err
}

// initdb runs the program of that name. The error has what it printed.
func (f *folder) initdb(ctx context.Context, binaries installation, args []string) error {
	var out bytes.Buffer
	cmd := f.account.command(ctx, binaries.path("initdb"), args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it tidies up then
	cmd.WaitDelay = stopTimeout
	p, err := startProcess(cmd)
	if err != nil {
		return fmt.Errorf("run initdb as %s: %w", f.account, err)
	}
	<-p.done
	if p.err != nil {
		return fmt.Errorf("run initdb as %s: %w\n%s", f.account, p.err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

// password returns the password of the cluster's superuser.
func (f *folder) password() (string, error) {
	content, err := os.ReadFile(f.passwordFile())
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

// lastPort returns the port of the last start, or 0. Keeping it keeps the URL.
func (f *folder) lastPort() int {
	content, err := os.ReadFile(f.path(portName))
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil || port < 1 || port > 65535 {
		return 0
	}
	return port
}

func (f *folder) rememberPort(port int) error {
	if port == f.lastPort() {
		return nil
	}
	if err := os.WriteFile(f.path(portName), fmt.Appendln(nil, port), 0o600); err != nil {
		return fmt.Errorf("remember the port: %w", err)
	}
	return nil
}

// rotateLog keeps the log of the last start beside the one that begins.
func (f *folder) rotateLog() error {
	if err := os.Rename(f.logFile(), f.path(oldLogName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rotate the log: %w", err)
	}
	return nil
}

// stopLeftover stops the server that a killed process left on the folder. Holding the lock, whatever
// runs there is nobody's.
func (f *folder) stopLeftover(ctx context.Context) error {
	pidFile := filepath.Join(f.data(), "postmaster.pid")
	content, err := os.ReadFile(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a running server: %w", err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	if pid <= 0 {
		return nil // not written whole: PostgreSQL judges it
	}
	serves, certain := servesData(pid, f.data())
	if !serves {
		// The id may have gone to another program, for whose sake PostgreSQL would refuse to start.
		if certain && syscall.Kill(pid, 0) == nil {
			if err := os.Remove(pidFile); err != nil {
				return fmt.Errorf("remove a stale %s: %w", pidFile, err)
			}
		}
		return nil
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the server that was left running: %w", err)
		}
		for deadline := time.Now().Add(stopTimeout); time.Now().Before(deadline); {
			if serves, _ := servesData(pid, f.data()); !serves {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("stop the server that was left running: %w", ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return fmt.Errorf("stop the server that was left running: process %d does not end", pid)
}
