// Package machinecode says where the machine code that modules of WebAssembly are compiled to is kept from one process to the next. What a
// module is, and how it is compiled, is not known here.
package machinecode

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

var errOthersWrite = errors.New("others may write in the folder")

// Folder makes the folder of a module in the user's caches. Its mode can be set by its owner only: whoever could write there would have his
// code run by the user.
func Folder(name string) (string, error) {
	caches, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(caches, "seedloom", name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || info.Mode().Perm()&(fs.ModePerm&^0o700) != 0 {
		return "", errOthersWrite
	}
	return folder, nil
}
