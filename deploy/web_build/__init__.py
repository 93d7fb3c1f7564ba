"""Bundle the programs and styles of all pages with esbuild."""
