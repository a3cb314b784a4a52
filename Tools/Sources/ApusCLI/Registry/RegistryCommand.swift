// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Foundation

struct RegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry",
        abstract: "The instances of services in a registry.",
        discussion: """
            The registry is a folder (--directory) or etcd (--etcd).

            \u{20} apus registry list --directory /run/shop
            \u{20} apus registry watch users --etcd 127.0.0.1:2379
            \u{20} apus registry drain users 4f1c9a --directory /run/shop
            """,
        subcommands: [ListInstances.self, WatchInstances.self, DrainInstance.self])
}

struct ListInstances: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The instances of a service, or of all.",
        usage: "apus registry list [<options>] [<service>]")

    @Argument(help: "The name of a service; all without it.") var service: String?
    @OptionGroup var registry: RegistryArguments

    func run() async throws {
        let ledger = try registry.ledger()
        let rows = try await ledger.rows(of: service)
        guard !rows.isEmpty else {
            throw Mistake(service.map { "nobody serves '\($0)' in this registry" } ?? "the registry is empty")
        }
        for line in InstanceRow.table(rows) { StandardOutput().print(line) }
    }
}

struct WatchInstances: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Tell who comes and who goes, until interrupted.",
        usage: "apus registry watch [<options>] <service>")

    @Argument(help: "The name of a service.") var service: String
    @OptionGroup var registry: RegistryArguments

    func run() async throws {
        guard let opened = try registry.open() else { throw RegistryArguments.missing }
        let (updates, sink) = AsyncStream<Result<[Endpoint], RPCError>>.makeStream(
            bufferingPolicy: .bufferingNewest(16))
        let watch = opened.watch(service) { sink.yield($0) }
        defer { watch.cancel() }
        var changes = InstanceChanges()
        for await update in updates {
            for line in changes.lines(update) { StandardOutput().print("\(WallTime.now)  \(line)") }
        }
    }
}

struct DrainInstance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Take an instance out of the registry: clients stop calling it, and it goes on.",
        usage: "apus registry drain [<options>] <service> <instance>",
        discussion: """
            Calls in flight finish. In a folder the entry is marked, and the mark stays
            until --undo or until the instance is started anew. In etcd the key is
            deleted; the instance puts it again when it is started anew, or when its
            lease gets lost.
            """)

    @Argument(help: "The name of the service.") var service: String
    @Argument(help: "The instance: its id or its address, as 'apus registry list' tells them.") var instance: String
    @Flag(help: "Let it have calls again (in a folder).") var undo = false
    @OptionGroup var registry: RegistryArguments

    func run() async throws {
        let ledger = try registry.ledger()
        let rows = try await ledger.rows(of: service)
        guard let row = rows.first(where: { $0.id == instance || $0.address == instance }) else {
            let known = rows.map(\.id).joined(separator: ", ")
            throw Mistake(
                rows.isEmpty
                    ? "nobody serves '\(service)' in this registry"
                    : "'\(service)' has no '\(instance)'; it has: \(known)")
        }
        try await ledger.drain(row, undo: undo)
        StandardOutput().print("\(row.service) \(row.id) at \(row.address) \(undo ? "gets calls again" : "is drained")")
    }
}
