// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ArgumentParser
import Foundation
import Processes

/// What both services are told on the command line.
public struct InstanceOptions: ParsableArguments {
    /// The registry's folder.
    @Option(help: "The folder of the registry, the same for all processes.")
    public var registry: String

    /// The SQLite file.
    @Option(help: "The SQLite file, shared by the processes of this service; made when it is missing.")
    public var database: String

    /// Where to listen.
    @Option(help: "The address to listen on.")
    public var host = "127.0.0.1"

    /// Where to listen.
    @Option(help: "The port to listen on; 0 takes a free one.")
    public var port = 0

    /// The instance's name.
    @Option(help: "The name of this instance, which the registry tells with its address.")
    public var instance: String?

    /// The lease in the registry.
    @Option(help: "Seconds after which the registry forgets this process should it die without leaving.")
    public var lease = 10.0

    /// Whether the process ends with the one that started it.
    @Flag(help: "Stop when the standard input ends, as it does when the process that started this one dies.")
    public var stopWithInput = false

    /// Nothing told yet.
    public init() {}

    /// Checks what the parser cannot.
    public func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is 0 to 65535, not \(port)") }
        guard lease > 0, lease < 86_400 else { throw ValidationError("--lease is more than 0 s and less than a day") }
    }

    /// Opens the database, and names it when that fails.
    ///
    /// - Throws: why it cannot be opened, in one line.
    public func openDatabase<Store>(_ open: (_ path: String) throws -> Store) throws -> Store {
        do {
            return try open(database)
        } catch {
            throw ValidationError("the database \(database) cannot be used: \(error)")
        }
    }

    /// The registry.
    public func openRegistry() -> DirectoryRegistry { DirectoryRegistry(path: registry, lease: .seconds(lease)) }

    /// Serves under a name, tells where on the standard output, and returns after SIGTERM or SIGINT.
    ///
    /// - Throws: why it cannot listen or register.
    public func serve(_ service: any Service, as name: String, in registry: DirectoryRegistry) async throws {
        if stopWithInput { Lifeline.hold() }
        var metadata = ["pid": String(ProcessInfo.processInfo.processIdentifier)]
        metadata["instance"] = instance
        try await Server([service], interceptors: [StoreErrors()])
            .serve(on: .host(host, port: port), as: name, in: registry, metadata: metadata) { running in
                print("\(instance ?? name) serves on \(running.addresses.map(\.description).joined(separator: ", "))")
                // A pipe or file would get the line only at the end.
                fflush(nil)
            }
        print("\(instance ?? name) has stopped")
    }
}
