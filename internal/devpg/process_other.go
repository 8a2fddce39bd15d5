//go:build !linux

package devpg

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// endsWithParent says whether dieWithParent works here.
const endsWithParent = false

// dieWithParent does nothing: the next start stops a server that was left running.
func dieWithParent(*syscall.SysProcAttr) {}

// servesData says whether a process is the server of a data directory, and whether that is certain:
// a server may have been given the folder under another name.
func servesData(pid int, data string) (serves, certain bool) {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return false, true // no such process
	}
	command := strings.TrimSpace(string(out)) + " "
	program, _, _ := strings.Cut(command, " ")
	if filepath.Base(program) != "postgres" {
		return false, true
	}
	serves = strings.Contains(command, " -D "+data+" ")
	return serves, serves
}
