// SPDX-License-Identifier: Apache-2.0

public import Apus
import ApusAdmin
public import Foundation
import Processes
import ShopStore

/// The drill: a shop of five processes, some customers, a crash and a shutdown in the middle.
public final class LiveDrill: Sendable {
    /// How much is done.
    public struct Plan: Sendable {
        /// Calls at least.
        public var calls = 4000
        /// Time at least.
        public var duration = Duration.seconds(24)
        /// Workers with async calls; one more makes blocking ones.
        public var shoppers = 16
        /// The mean rest of a worker between two calls.
        public var pause = Duration.milliseconds(40)

        /// The usual drill.
        public init() {}
    }

    let plan: Plan
    let random: any RandomSource
    let folder: DrillFolder
    let registry: DirectoryRegistry
    let fleet: Fleet
    let ledger: Ledger
    let screen = Screen()

    let users = Instance.all(of: "users", count: 2)
    let orders = Instance.all(of: "orders", count: 3)

    /// A drill in a new folder.
    ///
    /// - Parameters:
    ///   - programs: the folder of the services' programs.
    ///   - random: what the balancers draw from.
    /// - Throws: when there is no place for temporary files.
    public init(_ plan: Plan, programs: URL, random: any RandomSource = SplitMixRandom.shared) throws {
        self.plan = plan
        self.random = random
        let (folder, screen) = (try DrillFolder(), screen)
        self.folder = folder
        registry = DirectoryRegistry(path: folder.registry) { screen.say("registry: \($0)") }
        ledger = Ledger(users + orders)
        let lookup = RegistryView(registry, services: ["users", "orders"])
        fleet = Fleet(folder: folder, programs: programs, lookup: lookup, ledger: ledger)
    }

    /// Runs the drill and prints how it goes.
    ///
    /// - Throws: ``DrillError`` when it cannot go on.
    public func run() async throws -> Verdict {
        screen.say("A shop of five processes, found through the registry in \(folder.registry):")
        for instance in users + orders { try await start(instance) }
        let telemetry = AdminTelemetry(slow: .milliseconds(100))
        let clients = try ShopClients(registry, witness: Witness(ledger), telemetry: telemetry, random: random)
        let page = DrillPage(telemetry, clients.channels, screen).open()
        defer { page.cancel() }
        try await trade(with: clients)
        return try await judge()
    }

    /// Ends what still runs and removes the folder.
    public func cleanUp(keepFolder: Bool) {
        fleet.killAll()
        screen.end(keepFolder ? "Kept: \(folder.path)" : nil)
        if !keepFolder { folder.remove() }
    }
}
