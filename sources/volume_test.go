package sources_test

import (
	"testing"

	"chartkeep/sources"
)

func TestAVolumeIsTheFirstElementOfItsPaths(t *testing.T) {
	for _, c := range []struct{ path, element, rest, root string }{
		{`C:\Open Dental\x.jpg`, "C", `\Open Dental\x.jpg`, `C:\`},
		{`d:\`, "D", `\`, `D:\`},
		{`c:relative`, "C", "relative", `C:\`},
		{`\\server\OpenDentImages\S\Smith`, "server+OpenDentImages", `\S\Smith`, `\\server\OpenDentImages\`},
		{`\\server\c$`, "server+c$", "", `\\server\c$\`},
		{`\\?\C:\x`, "C", `\x`, `C:\`},
		{`\\?\UNC\server\share\x`, "server+share", `\x`, `\\server\share\`},
	} {
		volume, rest := sources.SplitVolume(c.path)
		element := sources.VolumeElement(volume)
		if element != c.element || rest != c.rest || sources.VolumeRoot(element) != c.root {
			t.Errorf("%s: %q, %q, %q", c.path, element, rest, sources.VolumeRoot(element))
		}
	}
	for _, none := range []string{"/srv/data", "", "relative", `\x`, `\\server`, `\\server\`, `1:\x`, "//server/share"} {
		if volume, rest := sources.SplitVolume(none); volume != "" || rest != none {
			t.Errorf("%s has the volume %q", none, volume)
		}
	}
}
