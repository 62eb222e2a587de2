package main

import (
	"fmt"
	"syscall"
)

// roomy is the size of a small disk that is not full: memory is used for what is on it only.
const roomy = 8 << 30 // bytes

func mountSmall(dir string) error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, sizeOf(roomy)) }

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }

// fillDisk leaves no room on a small disk.
func fillDisk(dir string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return err
	}
	return resize(dir, (s.Blocks-s.Bfree)*uint64(s.Bsize))
}

// makeRoom undoes it.
func makeRoom(dir string) error { return resize(dir, roomy) }

func resize(dir string, bytes uint64) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, sizeOf(bytes))
}

func sizeOf(bytes uint64) string { return fmt.Sprintf("size=%d", bytes) }
