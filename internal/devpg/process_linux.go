package devpg

import (
	"fmt"
	"os"
	"syscall"
)

// endsWithParent says whether dieWithParent works here.
const endsWithParent = true

// dieWithParent has the kernel shut a server down when this process ends, whatever ends it.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// servesData says whether a process is the server of a data directory, which it works in, and
// whether that is certain.
func servesData(pid int, data string) (serves, certain bool) {
	cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false, true // gone, or of another account
	}
	want, err := os.Stat(data)
	return err == nil && os.SameFile(cwd, want), true
}
