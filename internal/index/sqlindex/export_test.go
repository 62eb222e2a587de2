package sqlindex

// Limit sets how far the search of one page goes.
func (ix *Index) Limit(scan, bodies int) { ix.maxScan, ix.maxBodies = scan, bodies }
