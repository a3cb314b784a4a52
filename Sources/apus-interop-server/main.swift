// SPDX-License-Identifier: Apache-2.0

import ApusInterop

await InteropProgram.run("apus-interop-server") {
    try await InteropServer.run(Array(CommandLine.arguments.dropFirst()))
}
