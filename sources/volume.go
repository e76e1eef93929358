package sources

import "strings"

// SplitVolume takes the volume of Windows off the beginning of a path, on whatever
// system: C: or \\server\share, also behind \\?\. volume is empty where there is none.
func SplitVolume(path string) (volume, rest string) {
	head := len(path) - len(withoutPrefix(path))
	p := path[head:]
	if len(p) >= 2 && p[1] == ':' && letter(p[0]) {
		return path[:head+2], p[2:]
	}
	if head == 0 {
		if !strings.HasPrefix(p, `\\`) {
			return "", path
		}
		head, p = 2, p[2:]
	}
	server, share, found := strings.Cut(p, `\`)
	if !found || server == "" || share == "" {
		return "", path
	}
	if end := strings.IndexByte(share, '\\'); end >= 0 {
		share = share[:end]
	}
	end := head + len(server) + 1 + len(share)
	return path[:end], path[end:]
}

// withoutPrefix takes off what asks Windows for paths of any length.
func withoutPrefix(path string) string {
	rest, found := strings.CutPrefix(path, `\\?\`)
	if unc, ok := strings.CutPrefix(rest, `UNC\`); found && ok {
		return unc
	}
	return rest
}

func letter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

// VolumeElement is the first element of the paths in a tree that lie on a volume:
//
//	C:               C             a small letter is its capital
//	\\server\share   server+share  neither name may hold a plus
func VolumeElement(volume string) string {
	volume = withoutPrefix(volume)
	if drive, ok := strings.CutSuffix(volume, ":"); ok {
		return strings.ToUpper(drive)
	}
	return strings.ReplaceAll(strings.TrimLeft(volume, `\`), `\`, "+")
}

// VolumeRoot is the folder of a volume that an element names, for Windows.
func VolumeRoot(element string) string {
	if len(element) == 1 {
		return element + `:\`
	}
	if server, share, ok := strings.Cut(element, "+"); ok {
		return `\\` + server + `\` + share + `\`
	}
	return element + `\`
}
