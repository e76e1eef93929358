package storage

import (
	"syscall"

	"golang.org/x/sys/windows"
)

var noSpace = []syscall.Errno{
	windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED,
}

const readOnly = windows.ERROR_WRITE_PROTECT

// absent are the errors of a pulled drive and of a file server out of reach.
var absent = []syscall.Errno{
	windows.ERROR_NOT_READY, windows.ERROR_DEV_NOT_EXIST, windows.ERROR_DEVICE_NOT_CONNECTED, windows.ERROR_INVALID_DRIVE,
	windows.ERROR_BAD_NETPATH, windows.ERROR_BAD_NET_NAME, windows.ERROR_NETNAME_DELETED, windows.ERROR_UNEXP_NET_ERR,
}
