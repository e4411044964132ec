### main
