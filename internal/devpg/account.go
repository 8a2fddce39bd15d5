package devpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is what PostgreSQL runs as. It refuses to run as root.
type account struct {
	name string
	cred *syscall.Credential // nil: the account of this process
}

// serverAccount returns the account for a cluster whose data are in the given folder, if it exists.
// For root that is the folder's owner, else postgres, else nobody.
func serverAccount(data string) (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "the current user"}, nil
	}
	if info, err := os.Stat(data); err == nil {
		owner := info.Sys().(*syscall.Stat_t)
		u, err := user.LookupId(strconv.FormatUint(uint64(owner.Uid), 10))
		if err != nil {
			u = &user.User{
				Username: fmt.Sprintf("uid %d", owner.Uid),
				Uid:      strconv.FormatUint(uint64(owner.Uid), 10),
				Gid:      strconv.FormatUint(uint64(owner.Gid), 10),
			}
		}
		return newAccount(u)
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return newAccount(u)
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is neither an account postgres nor nobody: run portaldb as another user")
}

func newAccount(u *user.User) (account, error) {
	uid, err := parseID(u.Uid)
	if err != nil {
		return account{}, fmt.Errorf("read the ids of account %s: %w", u.Username, err)
	}
	gid, err := parseID(u.Gid)
	if err != nil {
		return account{}, fmt.Errorf("read the ids of account %s: %w", u.Username, err)
	}
	// Without these the child would keep root's groups.
	groups := []uint32{gid}
	ids, _ := u.GroupIds() // an account without an entry has no further groups
	for _, id := range ids {
		if group, err := parseID(id); err == nil && group != gid {
			groups = append(groups, group)
		}
	}
	return account{u.Username, &syscall.Credential{Uid: uid, Gid: gid, Groups: groups}}, nil
}

// parseID reads a user or group id.
func parseID(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	return uint32(id), err
}

func (a account) String() string { return a.name }

// command prepares a program to run as the account, out of reach of the terminal's Ctrl-C, in a
// folder that any account can enter, and with nothing of this process's environment that could
// change what it does or tell the account a secret.
func (a account) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LOCALE_ARCHIVE"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: a.cred}
	dieWithParent(cmd.SysProcAttr)
	return cmd
}

// own gives a file or folder to the account.
func (a account) own(path string) error {
	if a.cred == nil {
		return nil
	}
	return os.Lchown(path, int(a.cred.Uid), int(a.cred.Gid))
}

// checkEnter returns an error that names the culprit and a remedy if the account cannot enter dir or,
// where dir is missing, the nearest folder above it that exists.
func (a account) checkEnter(dir string, binaries installation, remedy string) error {
	if a.cred == nil {
		return nil
	}
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		dir = filepath.Dir(dir)
	}
	// Only the kernel knows (modes, ACLs, mount options), so it is asked: a child enters its folder
	// after it has become the account.
	enter := func(dir string) error {
		cmd := a.command(context.Background(), binaries.path("postgres"), "--version")
		cmd.Dir = dir
		p, err := startProcess(cmd)
		if err != nil {
			return err
		}
		<-p.done
		return p.err
	}
	if enter(dir) == nil {
		return nil
	}
	if err := enter("/"); err != nil {
		return fmt.Errorf("run %s as %s, because PostgreSQL does not run as root: %w", binaries.path("postgres"), a, err)
	}
	culprit := dir
	for above := dir; above != "/"; above = filepath.Dir(above) {
		if enter(above) != nil {
			culprit = above
		}
	}
	return fmt.Errorf("PostgreSQL does not run as root but as %s, which may not enter %s: run `chmod o+x %[2]s`, or %[3]s", a, culprit, remedy)
}
