package archive

// deviceNumbers takes a device number apart as Linux puts it together.
func deviceNumbers(rdev uint64) (major, minor int64) {
	return int64(rdev >> 8 & 0xfff), int64(rdev&0xff | rdev>>12&0xfffff00)
}
