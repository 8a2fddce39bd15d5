package blob

import "os"

// OnSync calls f before each fsync of the folder that takes new files.
func OnSync(s *Set, f func(*os.File)) {
	s.stores[0].(*folder).sync = func(file *os.File) error {
		f(file)
		return file.Sync()
	}
}
