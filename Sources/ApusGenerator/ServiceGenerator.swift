// SPDX-License-Identifier: Apache-2.0

/// Writes a service: its methods' descriptions, two clients, and what a server implements.
struct ServiceGenerator {
    let model: ServiceModel
    let file: FileModel
    var access: String { file.access }

    init(_ model: ServiceModel, _ file: FileModel) {
        self.model = model
        self.file = file
    }

    func declare(_ writer: inout CodeWriter) {
        let options = file.options
        guard options.client || options.server else { return }
        writer.doc(model.comment)
        writer.block("\(access)enum \(model.name)") { writer in
            descriptions(&writer)
            if options.client {
                writer.line()
                client(&writer)
                writer.line()
                blockingClient(&writer)
            }
            if options.server {
                writer.line()
                handler(&writer)
            }
        }
        if options.server {
            writer.line()
            routes(&writer)
        }
    }

    private func descriptions(_ writer: inout CodeWriter) {
        writer.doc("The methods' descriptions.")
        writer.block("\(access)enum Methods") { writer in
            for method in model.methods {
                writer.doc("`\(model.fullName)/\(method.protoName)`")
                writer.line(
                    "\(access)static let \(method.name) = Method<\(method.requestCodec), \(method.responseCodec)>(")
                let names = "service: \"\(model.fullName)\", name: \"\(method.protoName)\""
                writer.line("    \(names), kind: .\(method.kind)\(method.idempotency))")
            }
        }
    }

    private func handler(_ writer: inout CodeWriter) {
        writer.doc("What a server implements.")
        writer.block("\(access)protocol Handler: Service") { writer in
            for (index, method) in model.methods.enumerated() {
                if index > 0 { writer.line() }
                writer.doc(method.comment)
                writer.lines(requirement(method))
            }
        }
    }

    private func requirement(_ method: ServiceModel.Method) -> [String] {
        let request =
            method.streamsRequests
            ? "_ requests: RequestStream<\(method.requestCodec)>" : "_ request: \(method.request)"
        let writer = method.streamsResponses ? ["to writer: ResponseWriter<\(method.responseCodec)>"] : []
        let result = method.streamsResponses ? "async throws" : "async throws -> \(method.response)"
        return signature(method, [request] + writer + ["call: ServerCall"], result)
    }

    /// A function's head on one line, or with its parameters on a line of their own when that would be long, or each
    /// on one.
    func signature(_ method: ServiceModel.Method, _ parameters: [String], _ result: String) -> [String] {
        let list = parameters.joined(separator: ", ")
        let flat = "func \(method.name)(\(list)) \(result)"
        if flat.count <= 100 { return [flat] }
        let lines = list.count <= 100 ? [list] : parameters.dropLast().map { $0 + "," } + parameters.suffix(1)
        return ["func \(method.name)("] + lines.map { "    " + $0 } + [") \(result)"]
    }

    private func routes(_ writer: inout CodeWriter) {
        writer.block("extension \(model.name).Handler") { writer in
            writer.doc("The methods with their handlers.")
            writer.block("\(access)var routes: [Route]") { writer in
                writer.line("[")
                writer.indented { writer in writer.lines(model.methods.flatMap(routes)) }
                writer.line("]")
            }
            writer.line()
            writer.doc("The .proto file behind the service.")
            writer.block("\(access)var descriptor: ServiceDescriptor?") { writer in
                writer.line(
                    "ServiceDescriptor(service: \"\(model.fullName)\", fileDescriptorSet: _fileDescriptorSet)")
            }
        }
    }

    private func routes(of method: ServiceModel.Method) -> [String] {
        guard !method.streamsRequests, !method.streamsResponses else { return [route(method)] }
        // Without a closure of the handler's in between: each asynchronous layer costs a hundredth of a call.
        let description = "\(model.name).Methods.\(method.name)"
        return [
            "Route(\(description).descriptor) { call in",
            "    try \(description).response(",
            "        await self.\(method.name)(\(description).request(call), call: call))",
            "},",
        ]
    }

    private func route(_ method: ServiceModel.Method) -> String {
        let arguments = method.streamsResponses ? "$0, to: $1, call: $2" : "$0, call: $1"
        return ".\(method.kind)(\(model.name).Methods.\(method.name)) "
            + "{ try await self.\(method.name)(\(arguments)) },"
    }
}
