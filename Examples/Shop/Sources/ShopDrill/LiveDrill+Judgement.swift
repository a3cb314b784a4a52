// SPDX-License-Identifier: Apache-2.0

import PasswordHash
import ShopStore

extension LiveDrill {
    /// Stops the shop, and compares what was answered with what its files hold.
    func judge() async throws -> Verdict {
        let snapshot = ledger.snapshot
        screen.show(snapshot)
        screen.say("The shop closes: all instances stop, then their databases are compared with what they answered.")
        for instance in orders + users { try await fleet.stop(instance) }
        let (audit, findings) = ledger.effects
        let wrong = try findings + audited(audit)
        for failure in ledger.failures.prefix(10) { screen.say("failed: \(failure)") }
        let verdict = Verdict(snapshot: snapshot, picks: ledger.tallies, wrongEffects: wrong)
        screen.say("\n" + verdict.lines.joined(separator: "\n"))
        return verdict
    }

    private func audited(_ audit: EffectAudit) throws -> [String] {
        let userStore = try UserStore(path: folder.database(of: "users"), cost: .test)
        let orderStore = try OrderStore(path: folder.database(of: "orders"))
        let held = try audit.userIDs.flatMap { try Self.orders(of: $0, in: orderStore) }
        let others = try orderStore.orderCount() - held.count
        return try audit.findings(userCount: userStore.userCount(), orders: held)
            + (others == 0 ? [] : ["\(others) orders are of users whom nobody registered"])
    }

    private static func orders(of user: Int64, in store: OrderStore) throws -> [(sku: String, id: Int64)] {
        var orders: [Order] = []
        var next: Int64? = 0
        while let after = next {
            let page = try store.orders(userID: user, after: after, limit: 100)
            orders += page.orders
            next = page.nextAfter
        }
        return orders.map { ($0.items.first?.sku ?? "", $0.id) }
    }
}
