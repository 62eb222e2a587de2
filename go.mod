module github.com/foodtrace-ledger/foodtrace

go 1.26
