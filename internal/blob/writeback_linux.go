package blob

import (
	"os"
	"syscall"
)

// startWriting has the disk begin with bytes of a file, so that little is left to wait for at the end. It is a hint: nothing
// depends on what it does.
func startWriting(file *os.File, from, size int64) {
	const write = 2 // SYNC_FILE_RANGE_WRITE
	_ = syscall.SyncFileRange(int(file.Fd()), from, size, write)
}
