//go:build !unix || solaris || illumos || aix

package training

import "os"

// tryLock has no lock that a killed process loses; it is up to the user.
func tryLock(*os.File) bool { return true }
