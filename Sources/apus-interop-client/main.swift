// SPDX-License-Identifier: Apache-2.0

import ApusInterop

await InteropProgram.run("apus-interop-client") {
    try await InteropClient.run(Array(CommandLine.arguments.dropFirst()))
}
