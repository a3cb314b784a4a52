// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

struct RouterTests {
    private struct Methods: Service {
        let names: [String]
        var service = "test.v1.Service"
        var routes: [Route] {
            names.map { name in
                Route(MethodDescriptor(service: service, name: name, kind: .unary)) { _ in
                    ServerResponse(message: MessageBytes(name.utf8))
                }
            }
        }
    }

    private func find(_ path: String, _ router: Router) -> String? {
        Array(path.utf8).withUnsafeBytes { router.find($0) }.map { router[$0].route.method.name }
    }

    @Test func `every method is found by its path and nothing else is`() throws {
        let router = try Router([Methods(names: ["Get", "List"]), Methods(names: ["Get"], service: "other")])
        #expect(find("/test.v1.Service/Get", router) == "Get")
        #expect(find("/test.v1.Service/List", router) == "List")
        #expect(find("/other/Get", router) == "Get")
        for path in ["", "/", "/other/List", "/test.v1.Service/get", "/test.v1.Service/Get/", "test.v1.Service/Get"] {
            #expect(find(path, router) == nil)
        }
    }

    @Test func `a router knows to which service a method belongs`() throws {
        let router = try Router([Methods(names: ["A"]), Methods(names: ["B"], service: "other")])
        let services = router.methods.indices.map { router[$0].service }
        #expect(services == [0, 1])
    }

    @Test func `two services with the same method are refused`() {
        let error = #expect(throws: RPCError.self) { try Router([Methods(names: ["A"]), Methods(names: ["A"])]) }
        #expect(error?.message == "two services serve /test.v1.Service/A")
    }

    @Test func `no services serve nothing`() throws {
        let router = try Router([])
        #expect(find("/a/B", router) == nil)
        #expect(router.methods.isEmpty)
    }

    @Test func `hundreds of methods are all found, and random paths are not`() throws {
        let names = (0..<500).map { "Method\($0)" }
        let router = try Router([Methods(names: names)])
        for name in names { #expect(find("/test.v1.Service/\(name)", router) == name) }
        let random = SplitMixRandom(seed: 8)
        for _ in 0..<5000 { #expect(find("/\(random.next())/\(random.next())", router) == nil) }
    }
}
