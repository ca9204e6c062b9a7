module vlec

go 1.26

require (
	github.com/google/go-cmp v0.7.0
	pgregory.net/rapid v1.3.0
)

require gonum.org/v1/gonum v0.17.0

require github.com/BurntSushi/toml v1.6.0

require github.com/rogpeppe/go-internal v1.16.0
