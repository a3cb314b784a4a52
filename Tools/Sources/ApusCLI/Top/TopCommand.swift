// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Foundation

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "A live view of several instances: who answers, who serves, how loaded they are.",
        usage: "apus top [<options>] <address> ...",
        discussion: """
            Each instance is asked for its health again and again; the time of that
            call is its PING. CPU, MEMORY, CALLS/S and ERRORS/S are what an instance
            tells of itself in load reports (ORCA, xds.service.orca.v3), if it does.

            \u{20} apus top localhost:50051 localhost:50052
            \u{20} apus top --directory /run/shop users
            \u{20} apus top localhost:50051 --once
            """)

    @Argument(help: ArgumentHelp("The servers, or a service of the registry.", valueName: "address"))
    var addresses: [String]
    @Option(help: ArgumentHelp("The time between two looks.", valueName: "time")) var every = TimeArgument(.seconds(1))
    @Flag(help: "One look, and the end.") var once = false
    @OptionGroup var connection: ConnectionArguments

    /// Each is asked once in `--every`, over a channel of its own.
    static let maximumInstances = 1000

    func validate() throws {
        guard every.duration >= .milliseconds(100) else { throw ValidationError("--every is 100ms or more.") }
        guard addresses.count <= Self.maximumInstances else {
            throw ValidationError("\(Self.maximumInstances) instances at most.")
        }
    }

    func run() async throws {
        let output = StandardOutput()
        let instances = try await instances()
        let watches = try instances.map { address in
            InstanceWatch(address, try connection.channel(toInstance: address), every: every.duration)
        }
        for watch in watches { watch.begin() }
        defer { for watch in watches { watch.end() } }
        repeat {
            try await once ? allSeen(watches) : Task.sleep(for: every.duration)
            let table = InstanceSight.table(watches.map(\.sight))
            if Screen.isTerminal, !once {
                output.paint(screen: ["apus top  \(WallTime.now)", ""] + table + ["", "Ctrl-C ends it"])
            } else {
                for line in table { output.print(line) }
                if !once { output.print("") }
            }
        } while !once
        if watches.contains(where: { $0.sight.health != .serving }) { throw ExitCode(1) }
    }

    // Each question about health ends, with an answer or without. Load reports get a moment more.
    private func allSeen(_ watches: [InstanceWatch]) async throws {
        while watches.contains(where: { $0.sight.health == .unseen }) { try await Task.sleep(for: .milliseconds(20)) }
        try await Task.sleep(for: min(every.duration, .milliseconds(500)))
    }

    /// The instances of a view, sorted.
    static func view(of found: [String]) throws(Mistake) -> [String] {
        guard !found.isEmpty else { throw Mistake("nobody serves that in this registry") }
        guard found.count <= maximumInstances else {
            throw Mistake("\(found.count) instances are too many to look at: name up to \(maximumInstances) of them")
        }
        return found.sorted()
    }

    // Instances that come later are not seen: a view has its rows from its start.
    private func instances() async throws -> [String] {
        guard let registry = try connection.registry.open() else { return addresses }
        var found: [String] = []
        for service in addresses {
            let (updates, sink) = AsyncStream<Result<[Endpoint], RPCError>>.makeStream(
                bufferingPolicy: .bufferingNewest(1))
            let watch = registry.watch(service) { sink.yield($0) }
            defer { watch.cancel() }
            for await update in updates {
                found += try update.get().map { "\($0.address)" }
                break
            }
        }
        return try Self.view(of: found)
    }
}

extension StandardOutput {
    /// Replaces all that the terminal shows.
    func paint(screen lines: [String]) {
        let rows = lines.map { Screen.harmless(String($0.prefix(Screen.width))) + "\u{1B}[K" }
        Self.write("\u{1B}[H\(rows.joined(separator: "\r\n"))\u{1B}[J\r\n")
    }
}
