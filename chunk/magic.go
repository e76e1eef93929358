package chunk

// magics are the beginnings that decide alone. Coarse are media and archives
// whose first bytes may look like text or tables (headers, embedded previews,
// colour profiles, black borders) while the rest is written once. Compressed
// or encrypted formats without such heads need no entry: noise is Coarse.
//
// Fine are containers of compressed parts which practices make from
// templates. 300 letters with one of two logos, a shared font or style sheet
// and their own text, 21 MB, come to 6.8 MB (.docx) and 3.3 MB (.pdf) when
// cut to 8 KiB, and to all of 21 MB when cut to 64 KiB or more.
var magics = []struct {
	at      int
	magic   string
	profile Profile
}{
	{0, "\xff\xd8\xff", Coarse},         // JPEG
	{0, "\x89PNG\r\n\x1a\n", Coarse},    // PNG
	{0, "GIF8", Coarse},                 // GIF
	{0, "II*\x00", Coarse},              // TIFF, little endian
	{0, "MM\x00*", Coarse},              // TIFF, big endian
	{0, "\x00\x00\x00\x0cjP  ", Coarse}, // JPEG 2000
	{128, "DICM", Coarse},               // DICOM: radiographs, volumes
	{0, "RIFF", Coarse},                 // WAV, AVI, WebP
	{4, "ftyp", Coarse},                 // MP4, QuickTime, HEIC
	{4, "moov", Coarse},                 // QuickTime before it had ftyp
	{4, "mdat", Coarse},                 // likewise
	{0, "\x1aE\xdf\xa3", Coarse},        // Matroska, WebM
	{0, "OggS", Coarse},                 // Ogg
	{0, "fLaC", Coarse},                 // FLAC
	{0, "ID3", Coarse},                  // MP3
	{0, "\x1f\x8b\x08", Coarse},         // gzip
	{0, "BZh", Coarse},                  // bzip2
	{0, "\xfd7zXZ\x00", Coarse},         // xz
	{0, "(\xb5/\xfd", Coarse},           // Zstandard
	{0, "7z\xbc\xaf'\x1c", Coarse},      // 7-Zip
	{0, "Rar!\x1a\x07", Coarse},         // RAR
	{0, "%PDF-", Fine},                  // PDF
	{0, "SQLite format 3\x00", Fine},    // SQLite
	{30, "[Content_Types].xml", Fine},   // first file in a ZIP: Office Open XML
	{30, "_rels/", Fine},                // likewise
	{30, "mimetype", Fine},              // first file in a ZIP: OpenDocument
	{0, "PK\x03\x04", Coarse},           // any other ZIP
}

// known returns the profile of a head that begins like one of magics.
func known(head []byte) (Profile, bool) {
	for _, m := range magics {
		if len(head) >= m.at+len(m.magic) && string(head[m.at:m.at+len(m.magic)]) == m.magic {
			return m.profile, true
		}
	}
	// Two letters do not make a Windows bitmap; the reserved field is zero too.
	if len(head) >= 10 && string(head[:2]) == "BM" && string(head[6:10]) == "\x00\x00\x00\x00" {
		return Coarse, true
	}
	return 0, false
}
