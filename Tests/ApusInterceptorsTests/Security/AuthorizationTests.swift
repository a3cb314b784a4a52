// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

struct AuthorizationTests {
    private final class Events: Sendable {
        private let events = Mutex<[Authorization.AuditEvent]>([])
        var all: [Authorization.AuditEvent] { events.withLock { $0 } }
        func add(_ event: Authorization.AuditEvent) { events.withLock { $0.append(event) } }
    }

    private let policy = AuthorizationPolicy("p", allow: [.init("ada", principals: ["ada"])])

    private func outcome(_ authorization: Authorization, as name: String?) async -> String {
        do {
            return try await Principal.$current.withValue(name.map { Principal(name: $0) }) {
                try await ServerCall.made().answered(by: [authorization]) { _ in "handled" }
            }
        } catch {
            return "\(RPCError(wrapping: error).status)"
        }
    }

    @Test func `a call is handled when it is allowed, and else told nothing but that it is not`() async {
        let authorization = Authorization(policy)
        #expect(await outcome(authorization, as: "ada") == "handled")
        #expect(await outcome(authorization, as: "bob") == "PERMISSION_DENIED: the call is not allowed")
        #expect(await outcome(authorization, as: nil) == "PERMISSION_DENIED: the call is not allowed")
    }

    @Test func `over real connections calls are allowed by their header, and denied without it`() async throws {
        let policy = AuthorizationPolicy("p", allow: [.init("beta", headers: [.init("x-group", values: ["beta"])])])
        let calls: [(Metadata, Bool)] = [(["x-group": "beta"], true), (["x-group": "alpha"], false), ([:], false)]
        try await Served.run(
            [{ _ in "handled" }], client: [Served.endpoints(1), RandomBalancer()], server: [Authorization(policy)]
        ) { channel in
            for (metadata, isAllowed) in calls {
                let answer = try? await channel.ask(CallOptions(metadata: metadata))
                #expect(answer == (isAllowed ? "handled" : nil))
            }
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .permissionDenied)
        }
    }

    @Test func `another policy is in force for the next call`() async {
        let authorization = Authorization(policy)
        authorization.replace(with: AuthorizationPolicy("q", allow: [.init("bob", principals: ["bob"])]))
        #expect(await outcome(authorization, as: "ada").hasPrefix("PERMISSION_DENIED"))
        #expect(await outcome(authorization, as: "bob") == "handled")
    }

    @Test(
        arguments: [
            ([], []), (.denials, ["bob"]), (.permissions, ["ada"]), ([.denials, .permissions], ["ada", "bob"]),
        ] as [(AuthorizationPolicy.AuditCondition, [String])])
    func `the audit is told what it asked for`(condition: AuthorizationPolicy.AuditCondition, names: [String]) async {
        let events = Events()
        var policy = policy
        policy.auditing = condition
        let authorization = Authorization(policy) { events.add($0) }
        _ = await outcome(authorization, as: "ada")
        _ = await outcome(authorization, as: "bob")
        #expect(events.all.map(\.principal) == names)
        #expect(events.all.allSatisfy { $0.path == "/test.Service/Unary" && $0.policy == "p" })
        for event in events.all {
            #expect(event.decision == (event.principal == "ada" ? .allowed(rule: "ada") : .denied(rule: nil)))
        }
    }

    @Test func `over ten thousand random calls the audit has those that each policy in force asks for`() async {
        let (events, random) = (Events(), SplitMixRandom(seed: 27))
        let conditions: [AuthorizationPolicy.AuditCondition] = [
            [], .denials, .permissions, [.denials, .permissions],
        ]
        var inForce = policy
        let authorization = Authorization(inForce) { events.add($0) }
        var (expected, allowed) = ([Authorization.AuditEvent](), 0)
        for step in 0..<10_000 {
            if random.index(below: 50) == 0 {
                let friend = ["ada", "bob"][random.index(below: 2)]
                inForce = AuthorizationPolicy(
                    "p\(step)", deny: [.init("eve", principals: ["eve"])],
                    allow: [.init(friend, principals: [StringMatch(friend)])],
                    auditing: conditions[random.index(below: 4)])
                authorization.replace(with: inForce)
            }
            let name = ["ada", "bob", "eve", nil][random.index(below: 4)]
            let isAllowed = name != nil && name == inForce.allow.first?.name
            #expect(await outcome(authorization, as: name).hasPrefix("handled") == isAllowed)
            if isAllowed { allowed += 1 }
            guard inForce.auditing.contains(isAllowed ? .permissions : .denials) else { continue }
            let rule = isAllowed || name == "eve" && !inForce.deny.isEmpty ? name : nil
            expected.append(
                Authorization.AuditEvent(
                    path: "/test.Service/Unary", principal: name, peer: .memory("client"), policy: inForce.name,
                    decision: isAllowed ? .allowed(rule: name ?? "") : .denied(rule: rule)))
        }
        #expect(events.all == expected && expected.count > 2000 && allowed > 1000)
    }
}
