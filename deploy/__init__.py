"""Running Kuji: programs, and files for installing.

Programs: `cli` (the commands of ./kuji), `local` (servers and services on one machine), `demo` (the rehearsal of the
sample event), `edge` (tools beside the fax server and the scanner).
Files for installing: `compose`, `images`, `rabbitmq`, `mongodb`, `campaigns`.
`web_build` bundles the pages of all services.
"""
