package capture

// Fill lets the job file grow no more, as on a full disk; MakeRoom lets it grow again.
func (s *Service) Fill() error {
	_, err := s.store.db.Exec("PRAGMA max_page_count = 1") // SQLite takes the present size
	return err
}

// MakeRoom undoes Fill.
func (s *Service) MakeRoom() error {
	_, err := s.store.db.Exec("PRAGMA max_page_count = 1000000")
	return err
}

// Stream has documents of more than so many bytes read as they come; it is called before any is received.
func (s *Service) Stream(bytes int64) { s.inMemory = bytes }

// Limit has documents of more than so many bytes refused; it is called before any is received.
func (s *Service) Limit(bytes int64) { s.maxDocument = bytes }
