// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusConfiguration

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// A server whose address and limits come from flags, APUS_… variables and a file in JSON: try
//     swift run configured-server --server-port 0 --server-maximum-connections 500
// and what it says when a value is wrong.
do {
    let settings = try await Settings(arguments: CommandLine.arguments)
    print(settings)
    let listen = try ListenSettings(configuration: settings)
    let options = try ServerOptions(configuration: settings)
    let server = try Server([Health(serving: []), Reflection([])])
    try await server.serve(listeningOn: listen.targets, options: options, grace: listen.grace) { running in
        print("listening on \(running.addresses.map(\.description).joined(separator: ", "))")
        fflush(nil)
    }
} catch let error as SettingsError {
    print("configured-server: these settings cannot be:\n\(error)")
    exit(EX_CONFIG)
} catch {
    print("configured-server: \(error)")
    exit(EXIT_FAILURE)
}
