package preset

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chartkeep/cmd/internal/config"
	"chartkeep/sources/mysql"
)

func fillOpenDental(ctx context.Context, f *Filled, o Options) error {
	if !f.hasDatabase() {
		if err := f.fromSettings(o); err != nil {
			return fmt.Errorf(`%w; write config = "PATH of FreeDentalConfig.xml", or database = "mysql://USER@SERVER/opendental" and password = "file:PATH"`, err)
		}
	}
	if err := f.said("mysql", "mariadb"); err != nil {
		return err
	}
	if !o.wantsFiles() {
		return nil
	}
	if len(f.Source.Attachments) == 0 {
		inside, err := f.imageFolders(ctx, o)
		if err != nil {
			return fmt.Errorf(`%w; write attachments = ["FOLDER"], where FOLDER has the folders A to Z`, err)
		}
		if inside {
			return nil
		}
	}
	f.say("covered: the image folder %s", strings.Join(f.Source.Attachments, ", "))
	f.say("not covered: images that other programs keep for Open Dental (X-ray bridges), and settings of workstations")
	if len(f.Source.CrossChecks) == 0 {
		f.Source.CrossChecks = documentChecks(f.Source.Attachments)
	}
	return nil
}

// fromSettings takes the database out of FreeDentalConfig.xml.
func (f *Filled) fromSettings(o Options) error {
	places := o.Places
	if places == nil {
		places = usualOpenDental
	}
	c, from, err := settings(f.Source, places)
	if err != nil {
		return err
	}
	if f.Source.Database == nil {
		f.Source.Database = &config.Database{}
	}
	f.Source.Database.URL = c.address()
	f.say("found: %s", from)
	switch {
	case f.Source.Database.Password != "":
	case c.Password != "":
		f.Password = func() ([]byte, error) { return []byte(c.Password), nil }
	case c.MySQLPassHash != "":
		f.say(`the password in it is obfuscated and is not used: write password = "file:PATH"`)
	}
	return nil
}

// Where images are, as the preference AtoZfolderUsed says it.
const (
	imagesInDatabase = "0"
	imagesInDropbox  = "2"
	imagesOnSFTP     = "3"
)

// imageFolders asks the database where images are. inside reports that they are
// in no folder.
func (f *Filled) imageFolders(ctx context.Context, o Options) (inside bool, err error) {
	ask := func(query string) ([][]string, error) {
		password := o.Password
		if f.Password != nil {
			password = f.Password
		}
		return mysql.Ask(ctx, mysql.Options{URL: f.mysqlURL(), Password: password}, query)
	}
	rows, err := ask("SELECT PrefName, ValueString FROM preference WHERE PrefName IN ('DocPath', 'AtoZfolderUsed')")
	if err != nil {
		return false, fmt.Errorf("ask its database for the image folder: %w", err)
	}
	preference := map[string]string{}
	for _, row := range rows {
		preference[row[0]] = row[1]
	}
	switch preference["AtoZfolderUsed"] {
	case imagesInDatabase:
		f.say("covered: images, which are in the database")
		return true, nil
	case imagesInDropbox:
		f.say("not covered: images, which Open Dental keeps in Dropbox")
		return true, nil
	case imagesOnSFTP:
		f.say("not covered: images, which Open Dental keeps on an SFTP server")
		return true, nil
	}
	overrides, err := askOverrides(ask, o.Computer)
	if err != nil {
		return false, err
	}
	var given []named
	for path := range strings.SplitSeq(preference["DocPath"], ";") {
		given = append(given, named{"DocPath", strings.TrimSpace(path)})
	}
	return false, f.takeFolders(append(given, overrides...))
}

// mysqlURL is the database's address; the servers of a family go by one name.
func (f *Filled) mysqlURL() string {
	_, rest, _ := strings.Cut(f.Source.Database.URL, "://")
	return "mysql://" + rest
}

// A named path, and the setting it is from.
type named struct{ setting, path string }

// askOverrides asks for the folders that single computers and replicating
// servers use, this computer's first. Not every version has these columns.
func askOverrides(ask func(string) ([][]string, error), computer string) (all []named, err error) {
	tables, err := ask("SELECT LOWER(TABLE_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=DATABASE() AND COLUMN_NAME='AtoZpath'")
	if err != nil {
		return nil, err
	}
	who := map[string]string{"computerpref": "ComputerName", "replicationserver": "Descript"}
	for _, t := range tables {
		if who[t[0]] == "" {
			continue
		}
		rows, err := ask("SELECT " + who[t[0]] + ", AtoZpath FROM " + t[0] + " WHERE AtoZpath<>'' ORDER BY 1")
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			all = append(all, named{t[0] + " " + row[0], row[1]})
		}
	}
	slices.SortStableFunc(all, func(a, b named) int {
		mine := func(n named) int {
			if strings.EqualFold(n.setting, "computerpref "+computer) {
				return 0
			}
			return 1
		}
		return cmp.Compare(mine(a), mine(b))
	})
	return all, nil
}

// takeFolders takes the folders that are on this computer. All of them: a file
// may be in the folder that another computer uses.
func (f *Filled) takeFolders(all []named) error {
	var found, away []string
	for _, n := range all {
		switch {
		case n.path == "":
		case filepath.IsAbs(n.path) && isFolder(n.path):
			found = append(found, filepath.Clean(n.path))
		default:
			away = append(away, n.path+" ("+n.setting+")")
		}
	}
	if len(found) == 0 && len(away) == 0 {
		return fmt.Errorf("its database names no image folder")
	}
	if len(found) == 0 {
		return fmt.Errorf("its image folder is not on this computer under that name: %s", strings.Join(away, ", "))
	}
	slices.Sort(away)
	for _, a := range slices.Compact(away) {
		f.say("not covered: %s, which is no folder of this computer; it may be another name of the same one", a)
	}
	f.Source.Attachments = distinct(found)
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// distinct are folders without those that are another, or lie in one.
func distinct(folders []string) (all []string) {
	slices.Sort(folders)
	for _, f := range slices.Compact(folders) {
		if !slices.ContainsFunc(all, func(a string) bool { return strings.HasPrefix(f, a+string(filepath.Separator)) }) {
			all = append(all, f)
		}
	}
	return all
}

// documentChecks are the rules by which Open Dental's rows name files. It runs on
// Windows, where case does not count.
func documentChecks(roots []string) []config.CrossCheck {
	below := func(name string) (all []string) {
		for _, r := range roots {
			all = append(all, filepath.Join(r, name))
		}
		return all
	}
	return []config.CrossCheck{
		{
			Table: "document", FileColumn: "FileName", FolderTable: "patient", FolderColumn: "ImageFolder", Join: "PatNum", FolderJoin: "PatNum",
			Layout: "letter/folder/file", Roots: roots, IgnoreCase: true,
		},
		{Table: "eobattach", FileColumn: "FileName", Layout: "file", Roots: below("EOBs"), IgnoreCase: true, Optional: true},
		{Table: "ehramendment", FileColumn: "FileName", Layout: "file", Roots: below("Amendments"), IgnoreCase: true, Optional: true},
	}
}
