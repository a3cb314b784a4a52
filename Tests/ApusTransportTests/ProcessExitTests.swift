// SPDX-License-Identifier: Apache-2.0

@testable import ApusTransport
import Testing

@Suite struct ProcessExitTests {
    @Test func `loops that finish what they are at are held`() throws {
        #expect(ProcessExit.hold([try UVLoop(), try UVLoop()], patience: 60_000))
    }

    @Test func `a loop that is blocked keeps nobody`() async throws {
        let loop = try UVLoop()
        let letGo = Parked<Void>()
        await withCheckedContinuation { entered in
            loop.execute {
                entered.resume()
                letGo.wait()
            }
        }
        #expect(!ProcessExit.hold([loop], patience: 5))
        letGo.set(())
    }
}
