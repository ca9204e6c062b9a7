module vlec

go 1.26
