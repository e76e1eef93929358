package main

import "testing"

// What a shell or an editor of Windows adds to a password is no part of it:
// whoever types it would be locked out.
func TestAPasswordIsTheFirstLineWhateverWroteIt(t *testing.T) {
	for _, file := range []string{"secret", "secret\n", "secret\r\nmore\r\n", "\xef\xbb\xbfsecret\r\n", "\xff\xfes\x00e\x00c\x00r\x00e\x00t\x00\r\x00\n\x00"} {
		if got, err := firstLine([]byte(file), "file"); err != nil || string(got) != "secret" {
			t.Errorf("%q: %q, %v", file, got, err)
		}
	}
	if _, err := firstLine([]byte("\xef\xbb\xbf\r\nsecret"), "file"); err == nil {
		t.Error("an empty line is a password")
	}
}
