// SPDX-License-Identifier: Apache-2.0

/// Compares what the services answered with what they hold afterwards: each effect has to be there once, however
/// often its call was tried.
///
/// Each order of the drill has a sku of its own, so that an order is recognized without its idempotency key, whose
/// workings are what is audited.
public struct EffectAudit: Sendable {
    private var users: [String: Int64] = [:]
    private var orders: [String: Int64] = [:]
    private var contradictions: [String] = []

    /// Nothing was answered yet.
    public init() {}

    /// How many registrations were answered.
    public var userCount: Int { users.count }
    /// The ids of the users who were registered.
    public var userIDs: Set<Int64> { Set(users.values) }
    /// How many orders were answered.
    public var orderCount: Int { orders.count }

    /// A registration was answered with this user.
    public mutating func registered(_ username: String, as id: Int64) {
        if let first = users.updateValue(id, forKey: username), first != id {
            contradictions.append("user \(username) was answered as \(first) and as \(id)")
        }
    }

    /// An order was answered with this id.
    public mutating func placed(_ sku: String, as id: Int64) {
        if let first = orders.updateValue(id, forKey: sku), first != id {
            contradictions.append("order \(sku) was answered as \(first) and as \(id)")
        }
    }

    /// What is wrong, one line each; empty when each effect happened once.
    ///
    /// - Parameters:
    ///   - userCount: how many users the user service holds.
    ///   - held: the orders that the order service holds, each with its sku.
    public func findings(userCount: Int, orders held: [(sku: String, id: Int64)]) -> [String] {
        contradictions + userFindings(userCount) + orderFindings(Dictionary(grouping: held, by: \.sku))
    }

    private func userFindings(_ held: Int) -> [String] {
        var findings: [String] = []
        if held != users.count { findings.append("\(users.count) users were registered, \(held) are there") }
        for (id, names) in Dictionary(grouping: users.keys, by: { users[$0] ?? 0 }) where names.count > 1 {
            findings.append("users \(names.sorted().joined(separator: " and ")) have the one id \(id)")
        }
        return findings.sorted()
    }

    private func orderFindings(_ held: [String: [(sku: String, id: Int64)]]) -> [String] {
        Set(orders.keys).union(held.keys).sorted().compactMap { sku in
            let ids = held[sku, default: []].map(\.id).sorted()
            guard let answered = orders[sku] else { return "order \(sku) is there, but was never answered" }
            if ids.isEmpty { return "order \(sku) was answered, but is not there" }
            if ids.count > 1 { return "order \(sku) was placed \(ids.count) times: \(ids)" }
            return ids[0] == answered ? nil : "order \(sku) was answered as \(answered), but is \(ids[0])"
        }
    }
}
