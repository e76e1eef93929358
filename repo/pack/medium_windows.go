package pack

import (
	"errors"
	"syscall"
)

// badMedium knows ERROR_CRC, ERROR_SECTOR_NOT_FOUND, ERROR_READ_FAULT and
// ERROR_IO_DEVICE.
func badMedium(err error) bool {
	var code syscall.Errno
	return errors.As(err, &code) && (code == 23 || code == 27 || code == 30 || code == 1117)
}
