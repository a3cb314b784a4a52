// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopCatalog

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// No Foundation and no parser of flags: what is deployed is one program and the libraries that it needs.

// stdio would keep lines back from a journal.
@Sendable func say(_ line: String) {
    Array((line + "\n").utf8).withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

do {
    let settings = try CatalogSettings { name in getenv(name).map { String(cString: $0) } }
    let catalog = Catalog(instance: settings.instance, origin: settings.originClient(report: say))
    let server = try Server([catalog, Health(serving: [catalog]), Reflection([catalog])])
    // Clients look their names up again when connections end: after a while they know new instances.
    var options = ServerOptions()
    options.maximumConnectionAge = .seconds(600)
    try await server.serve(listeningOn: [settings.listen], options: options, grace: settings.grace) { running in
        say("\(settings.instance) serves on \(running.addresses.map(\.description).joined(separator: ", "))")
    }
    say("\(settings.instance) has stopped")
} catch let fault as CatalogSettings.Fault {
    say("shop-catalog: \(fault)")
    exit(EX_CONFIG)
} catch {
    say("shop-catalog: \(error)")
    exit(EXIT_FAILURE)
}
