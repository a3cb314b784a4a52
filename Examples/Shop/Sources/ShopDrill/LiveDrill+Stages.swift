// SPDX-License-Identifier: Apache-2.0

import Apus
import Figures
import Processes
import ShopProtos

extension LiveDrill {
    /// Lets the customers shop while things happen to the instances; returns when the last one has gone.
    func trade(with clients: ShopClients) async throws {
        let hours = OpeningHours(pause: plan.pause)
        let table = Task { await screen.follow(ledger) }
        defer { table.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { shoppers in
            for number in 1...plan.shoppers {
                shoppers.addTask { await self.shopper("async-\(number)", clients, hours).shop() }
            }
            shoppers.addTask { await self.blockingShopper(clients, hours).shop() }
            screen.say("\(plan.shoppers) customers come with async calls, one with blocking calls.")
            try await stages()
            hours.end()
            try await shoppers.waitForAll()
        }
    }

    private func stages() async throws {
        try await work(share: 0.3, of: .before)
        try await crash(orders[1], work: 0.25)
        try await restartGracefully(users[0], work: 0.15)
        try await work(share: 0.3, of: .after)
    }

    private func crash(_ victim: Instance, work share: Double) async throws {
        await fleet.kill(victim)
        note("\(victim.name) is killed (SIGKILL): its calls are tried again elsewhere, its watches go on elsewhere,")
        screen.say("        and the registry forgets it when its lease of \(Fleet.lease) is over.")
        try await work(share: share, of: .during)
        note("\(victim.name) is started again.")
        try await start(victim)
    }

    private func restartGracefully(_ instance: Instance, work share: Double) async throws {
        note("\(instance.name) is asked to stop (SIGTERM): it leaves the registry, finishes its calls and exits.")
        try await fleet.stop(instance)
        note("\(instance.name) has stopped.")
        try await work(share: share, of: .during)
        note("\(instance.name) is started again.")
        try await start(instance)
    }

    func start(_ instance: Instance) async throws {
        let (address, id) = try await fleet.start(instance)
        screen.say("        \(instance.name) serves on \(address), process \(id)")
    }

    private func note(_ text: String) { screen.say("\(seconds(ledger.snapshot.elapsed)): \(text)") }

    /// Waits until the stage has had its share of the drill's time and of its calls.
    private func work(share: Double, of phase: Phase) async throws {
        ledger.enter(phase)
        let (began, first) = (ContinuousClock.now, ledger.calls)
        let calls = Int((share * Double(plan.calls)).rounded(.up))
        var progress = (at: began, calls: first)
        while ledger.calls - first < calls || began.duration(to: .now) < plan.duration * share {
            try await Task.sleep(for: .milliseconds(10))
            if ledger.calls > progress.calls { progress = (.now, ledger.calls) }
            if progress.at.duration(to: .now) > Self.patience { throw DrillError("no call ended for \(Self.patience)") }
        }
    }

    // Three times the deadline of a call.
    private static let patience = Duration.seconds(90)

    private func shopper(_ name: String, _ clients: ShopClients, _ hours: OpeningHours) -> Shopper {
        Shopper(name: name, users: clients.users, orders: clients.orders, ledger: ledger, hours: hours)
    }

    private func blockingShopper(_ clients: ShopClients, _ hours: OpeningHours) -> BlockingShopper {
        BlockingShopper(
            name: "blocking", users: clients.users.blocking, orders: clients.orders.blocking, ledger: ledger,
            hours: hours)
    }
}
