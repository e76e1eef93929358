package config_test

import (
	"fmt"

	"chartkeep/cmd/internal/config"
)

func ExampleParse() {
	_, err := config.Parse("chartkeep.toml", []byte(`version = 1

[source.files]
paths = ["/srv/practice"]
exclud = ["*.tmp"]

[plan.nightly]
sources = ["files"]
at = "25:00"
to = ["red"]
`))
	fmt.Println(err)
	// Output:
	// chartkeep.toml:5: source.files.exclud: unknown key; did you mean exclude?
	// chartkeep.toml:9: plan.nightly.at: time of day "25:00": want hours:minutes, such as 04:00
	// chartkeep.toml:10: plan.nightly.to[1]: there is no destination red
}
