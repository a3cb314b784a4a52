// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusTestSupport
import Testing

/// A registry whose disk takes no bytes: in a process of its own, whose files may not grow.
@Suite struct FullDiskTests {
    @Test func `a full disk is told of once, nothing is left half written, and entries come back`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let (a, b) = (Member(folder.path), Member(folder.path))
            let (watch, updates) = b.watch()
            _ = try await a.register(1)
            await updates.wait(forPorts: [1])
            try FileRoom.limit(to: 0)
            // As a sweeper would: only a new file brings the entry back.
            try folder.remove("users/i1.json")
            await updates.wait(forPorts: [])
            for _ in 0..<20 { await a.advance(by: .seconds(1)) }
            let error = await #expect(throws: RPCError.self) { _ = try await a.register(2) }
            #expect(error?.code == .unavailable)
            #expect(folder.names(in: "users") == [])
            #expect(a.problems.all.count == 1, "\(a.problems.all)")
            #expect(
                a.problems.all.first?.hasPrefix("the lease of 'i1' of 'users' is not renewed: cannot write") == true)
            try FileRoom.limit(to: nil)
            await a.advance(by: .seconds(4))
            await updates.wait(forPorts: [1])
            #expect(a.problems.all.dropFirst() == ["the lease of 'i1' of 'users' is renewed again"])
            _ = try await a.register(2)
            await updates.wait(forPorts: [1, 2])
            watch.cancel()
            await a.registry.close()
            await b.registry.close()
        }
    }
}
