package pack

import "syscall"

const badMediumError = syscall.Errno(23) // ERROR_CRC
