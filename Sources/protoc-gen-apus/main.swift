// SPDX-License-Identifier: Apache-2.0

import ApusGenerator

StandardStreams.exit(with: StandardStreams.run(CompilerPlugin.respond))
