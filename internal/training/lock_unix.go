//go:build unix && !solaris && !illumos && !aix

package training

import (
	"os"
	"syscall"
)

// tryLock locks a file for as long as this process has it open, so that a process
// that was killed holds nothing.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
