// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusTestSupport
import Testing

struct InMemoryRegistryTests {
    let registry = InMemoryRegistry()
    let updates = Updates()

    private func instance(_ port: Int, service: String = "users") -> ServiceInstance {
        ServiceInstance(service: service, id: "i\(port)", endpoint: .local(port))
    }

    private func watch(_ service: String = "users") -> RegistryWatch {
        registry.watch(service) { [updates] in updates.add($0) }
    }

    @Test func `a watch hears the list at once and every change of it`() async throws {
        let first = try await registry.register(instance(1))
        let watch = watch()
        #expect(updates.ports == [1])
        let second = try await registry.register(instance(2))
        #expect(updates.ports == [1, 2])
        await first.leave()
        #expect(updates.ports == [2])
        await second.leave()
        #expect(updates.ports == [])
        #expect(updates.count == 4)
        watch.cancel()
    }

    @Test func `a name nobody registered has an empty list`() {
        let watch = watch("nobody")
        #expect(updates.ports == [])
        watch.cancel()
    }

    @Test func `services do not see each other`() async throws {
        let watch = watch()
        _ = try await registry.register(instance(1, service: "orders"))
        #expect(updates.count == 1)
        watch.cancel()
    }

    @Test func `a cancelled or released watch hears nothing more`() async throws {
        watch().cancel()
        _ = watch()
        #expect(updates.count == 2)
        _ = try await registry.register(instance(1))
        #expect(updates.count == 2)
    }

    @Test func `leaving twice does nothing, also when the id was registered again`() async throws {
        let old = try await registry.register(instance(1))
        await old.leave()
        _ = try await registry.register(instance(1))
        await old.leave()
        let watch = watch()
        #expect(updates.ports == [1])
        watch.cancel()
    }

    @Test func `an id that is taken is refused, as is an empty name`() async throws {
        _ = try await registry.register(instance(1))
        let taken = await #expect(throws: RPCError.self) { try await registry.register(instance(1)) }
        #expect(taken?.code == .alreadyExists)
        let empty = await #expect(throws: RPCError.self) { try await registry.register(instance(1, service: "")) }
        #expect(empty?.code == .invalidArgument)
    }

    @Test func `with many writers a watch ends at the last list and never goes back`() async throws {
        let watch = watch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for port in 1...200 { group.addTask { _ = try await registry.register(instance(port)) } }
            try await group.waitForAll()
        }
        #expect(updates.ports.map(Set.init) == Set(1...200))
        let sizes = updates.all.compactMap { try? $0.get().count }
        #expect(sizes == sizes.sorted())
        watch.cancel()
    }

    @Test func `an update may register and cancel without a deadlock`() async throws {
        let inner = Updates()
        let watch = registry.watch("users") { [registry, updates] update in
            updates.add(update)
            registry.watch("users") { inner.add($0) }.cancel()
        }
        _ = try await registry.register(instance(1))
        #expect(updates.count == 2)
        #expect(inner.count == 2)
        watch.cancel()
    }
}
