//! The lowered document in the types of `openapiv3`, which `progenitor` takes.
//!
//! Read by hand: two fifths of the functions that each user compiled of this crate were the readers that `serde` derives
//! for all of OpenAPI. They also drop what they do not know; here that is an error.

use crate::error::{Error, Result};
use crate::node::Node;
use openapiv3::{
    AdditionalProperties, AnySchema, ArrayType, BooleanType, Components, Content, Info, IntegerType,
    MediaType, NumberType, ObjectType, OpenAPI, Operation, Parameter, ParameterData,
    ParameterSchemaOrContent, PathItem, PathStyle, Paths, QueryStyle, ReferenceOr, RequestBody, Response,
    Schema, SchemaData, SchemaKind, StatusCode, StringType, Type, VariantOrUnknownOrEmpty,
};
use serde_json::Value;
use std::str::FromStr;

/// Reads what `lower` writes, and nothing else.
pub(crate) fn openapi(lowered: &Value) -> Result<OpenAPI> {
    document(&Node::root(lowered)).map_err(|error| error.under("lowered"))
}

fn document(root: &Node<'_>) -> Result<OpenAPI> {
    root.only(&["openapi", "info", "paths", "components"])?;
    let info = root.need("info")?;
    info.only(&["title", "version"])?;
    let components = root.need("components")?;
    components.only(&["schemas"])?;
    let mut schemas = Components::default();
    for (name, place) in components.members_of("schemas")? {
        schemas.schemas.insert(name.to_owned(), schema(&place)?);
    }
    Ok(OpenAPI {
        openapi: root.text_of("openapi")?.to_owned(),
        info: Info {
            title: info.text_of("title")?.to_owned(),
            version: info.text_of("version")?.to_owned(),
            ..Info::default()
        },
        paths: paths(&root.need("paths")?)?,
        components: Some(schemas),
        ..OpenAPI::default()
    })
}

fn paths(node: &Node<'_>) -> Result<Paths> {
    let mut paths = Paths::default();
    for (path, place) in node.members()? {
        if !path.starts_with('/') {
            return Err(unknown(&place, path));
        }
        let item = ReferenceOr::Item(path_item(&place)?);
        paths.paths.insert(path.to_owned(), item);
    }
    Ok(paths)
}

fn path_item(node: &Node<'_>) -> Result<PathItem> {
    let mut item = PathItem::default();
    for (method, place) in node.members()? {
        let slot = match method {
            "delete" => &mut item.delete,
            "get" => &mut item.get,
            "patch" => &mut item.patch,
            "post" => &mut item.post,
            "put" => &mut item.put,
            _ => return Err(unknown(&place, method)),
        };
        *slot = Some(operation(&place)?);
    }
    Ok(item)
}

fn operation(node: &Node<'_>) -> Result<Operation> {
    let id = node.text_of("operationId")?;
    let node = &node.clone().in_operation(id);
    node.only(&["operationId", "parameters", "requestBody", "responses"])?;
    let mut operation = Operation {
        operation_id: Some(id.to_owned()),
        ..Operation::default()
    };
    for place in node.items_of("parameters")? {
        operation.parameters.push(ReferenceOr::Item(parameter(&place)?));
    }
    if let Some(place) = node.get("requestBody") {
        operation.request_body = Some(ReferenceOr::Item(request_body(&place)?));
    }
    for (status, place) in node.need("responses")?.members()? {
        let code = status.parse().ok().filter(|code| (100..1000).contains(code));
        let code = code.ok_or_else(|| unknown(&place, status))?;
        let response = ReferenceOr::Item(response(&place)?);
        operation
            .responses
            .responses
            .insert(StatusCode::Code(code), response);
    }
    Ok(operation)
}

fn parameter(node: &Node<'_>) -> Result<Parameter> {
    node.only(&["name", "in", "required", "schema"])?;
    let parameter_data = ParameterData {
        name: node.text_of("name")?.to_owned(),
        required: flag(node, "required")?,
        format: ParameterSchemaOrContent::Schema(schema(&node.need("schema")?)?),
        description: None,
        deprecated: None,
        example: None,
        examples: Default::default(),
        explode: None,
        extensions: Default::default(),
    };
    let place = node.need("in")?;
    match place.text()? {
        "path" => Ok(Parameter::Path {
            parameter_data,
            style: PathStyle::default(),
        }),
        "query" => Ok(Parameter::Query {
            parameter_data,
            allow_reserved: false,
            style: QueryStyle::default(),
            allow_empty_value: None,
        }),
        other => Err(unknown(&place, other)),
    }
}

fn request_body(node: &Node<'_>) -> Result<RequestBody> {
    node.only(&["required", "content"])?;
    Ok(RequestBody {
        required: flag(node, "required")?,
        content: content(&node.need("content")?)?,
        ..RequestBody::default()
    })
}

fn response(node: &Node<'_>) -> Result<Response> {
    node.only(&["description", "content"])?;
    let mut response = Response {
        description: node.text_of("description")?.to_owned(),
        ..Response::default()
    };
    if let Some(place) = node.get("content") {
        response.content = content(&place)?;
    }
    Ok(response)
}

fn content(node: &Node<'_>) -> Result<Content> {
    node.only(&["application/json"])?;
    let json = node.need("application/json")?;
    json.only(&["schema"])?;
    let mut content = Content::default();
    let media = MediaType {
        schema: Some(schema(&json.need("schema")?)?),
        ..MediaType::default()
    };
    content.insert("application/json".to_owned(), media);
    Ok(content)
}

fn schema(node: &Node<'_>) -> Result<ReferenceOr<Schema>> {
    if let Some(reference) = node.get("$ref") {
        node.only(&["$ref"])?;
        let reference = reference.text()?.to_owned();
        return Ok(ReferenceOr::Reference { reference });
    }
    let schema_kind = match node.get("type") {
        Some(kind) => SchemaKind::Type(typed(node, &kind)?),
        None => untyped(node)?,
    };
    let schema_data = SchemaData {
        nullable: flag(node, "nullable")?,
        ..SchemaData::default()
    };
    Ok(ReferenceOr::Item(Schema {
        schema_data,
        schema_kind,
    }))
}

fn boxed(node: &Node<'_>) -> Result<ReferenceOr<Box<Schema>>> {
    Ok(match schema(node)? {
        ReferenceOr::Reference { reference } => ReferenceOr::Reference { reference },
        ReferenceOr::Item(schema) => ReferenceOr::boxed_item(schema),
    })
}

fn typed(node: &Node<'_>, kind: &Node<'_>) -> Result<Type> {
    match kind.text()? {
        "array" => array(node).map(Type::Array),
        "boolean" => {
            node.only(&["type", "nullable"])?;
            Ok(Type::Boolean(BooleanType::default()))
        }
        "integer" => {
            node.only(&["type", "nullable", "format"])?;
            Ok(Type::Integer(IntegerType {
                format: format(node)?,
                ..IntegerType::default()
            }))
        }
        "number" => {
            node.only(&["type", "nullable", "format"])?;
            Ok(Type::Number(NumberType {
                format: format(node)?,
                ..NumberType::default()
            }))
        }
        "object" => object(node).map(Type::Object),
        "string" => string(node).map(Type::String),
        other => Err(unknown(kind, other)),
    }
}

/// A choice, null or a reference, or anything at all.
fn untyped(node: &Node<'_>) -> Result<SchemaKind> {
    if node.get("oneOf").is_some() {
        node.only(&["oneOf", "nullable"])?;
        let one_of = schemas(node, "oneOf")?;
        return Ok(SchemaKind::OneOf { one_of });
    }
    if node.get("allOf").is_some() {
        node.only(&["allOf", "nullable"])?;
        let all_of = schemas(node, "allOf")?;
        return Ok(SchemaKind::AllOf { all_of });
    }
    node.only(&["nullable"])?;
    Ok(SchemaKind::Any(AnySchema::default()))
}

fn schemas(node: &Node<'_>, key: &str) -> Result<Vec<ReferenceOr<Schema>>> {
    node.items_of(key)?.iter().map(schema).collect()
}

fn array(node: &Node<'_>) -> Result<ArrayType> {
    node.only(&["type", "nullable", "items"])?;
    Ok(ArrayType {
        items: Some(boxed(&node.need("items")?)?),
        min_items: None,
        max_items: None,
        unique_items: false,
    })
}

fn object(node: &Node<'_>) -> Result<ObjectType> {
    let known = [
        "type",
        "nullable",
        "properties",
        "required",
        "additionalProperties",
    ];
    node.only(&known)?;
    let mut object = ObjectType::default();
    for (name, place) in node.members_of("properties")? {
        object.properties.insert(name.to_owned(), boxed(&place)?);
    }
    for place in node.items_of("required")? {
        object.required.push(place.text()?.to_owned());
    }
    if let Some(place) = node.get("additionalProperties") {
        object.additional_properties = Some(match place.value {
            Value::Bool(any) => AdditionalProperties::Any(*any),
            _ => AdditionalProperties::Schema(Box::new(schema(&place)?)),
        });
    }
    Ok(object)
}

fn string(node: &Node<'_>) -> Result<StringType> {
    node.only(&["type", "nullable", "format", "enum"])?;
    let mut string = StringType {
        format: format(node)?,
        ..StringType::default()
    };
    for place in node.items_of("enum")? {
        string.enumeration.push(Some(place.text()?.to_owned()));
    }
    Ok(string)
}

fn format<T: FromStr>(node: &Node<'_>) -> Result<VariantOrUnknownOrEmpty<T>> {
    let Some(place) = node.get("format") else {
        return Ok(VariantOrUnknownOrEmpty::Empty);
    };
    let text = place.text()?;
    match text.parse() {
        Ok(format) => Ok(VariantOrUnknownOrEmpty::Item(format)),
        Err(_) => Err(unknown(&place, text)),
    }
}

fn flag(node: &Node<'_>, key: &str) -> Result<bool> {
    let Some(place) = node.get(key) else {
        return Ok(false);
    };
    let flag = place.value.as_bool();
    flag.ok_or_else(|| place.error("type", "this must be true or false"))
}

fn unknown(place: &Node<'_>, what: &str) -> Error {
    place.error("unknown", format!("`{what}` is not known here"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each form that `lower` writes.
    fn lowered() -> Value {
        let number = json!({ "type": "integer", "format": "int64", "nullable": true });
        let crew = json!({ "$ref": "#/components/schemas/Crew" });
        let in_json = |schema: &Value| json!({ "application/json": { "schema": schema } });
        let parameter = |place: &str, schema: Value| json!({ "name": "of", "in": place, "required": true, "schema": schema });
        let choice = json!({ "type": "object", "properties": { "pay": number }, "required": ["pay"], "additionalProperties": false });
        json!({
            "openapi": "3.0.3",
            "info": { "title": "ESI", "version": "0" },
            "paths": { "/ships/{of}": {
                "delete": { "operationId": "Sink", "parameters": [], "responses": { "204": { "description": "" } } },
                "get": {
                    "operationId": "Crew",
                    "parameters": [
                        parameter("path", json!({ "type": "string", "format": "date" })),
                        parameter("query", json!({ "type": "array", "items": number })),
                    ],
                    "responses": { "200": { "description": "", "content": in_json(&json!({})) } },
                },
                "patch": { "operationId": "Mend", "parameters": [], "responses": { "200": { "description": "" } } },
                "post": {
                    "operationId": "Hire",
                    "parameters": [],
                    "requestBody": { "required": true, "content": in_json(&crew) },
                    "responses": { "201": { "description": "", "content": in_json(&crew) } },
                },
                "put": { "operationId": "Name", "parameters": [], "responses": { "200": { "description": "" } } },
            } },
            "components": { "schemas": {
                "Choice": { "oneOf": [choice] },
                "Crew": { "type": "object", "required": ["rank"], "properties": {
                    "captain": { "type": "boolean" },
                    "hired": { "type": "string", "format": "date-time", "nullable": true },
                    "mate": { "allOf": [crew], "nullable": true },
                    "papers": { "type": "object", "additionalProperties": { "type": "string" } },
                    "pay": { "type": "number", "format": "double" },
                    "rank": crew,
                    "what": { "nullable": true },
                } },
                "Id": number,
                "Rank": { "type": "string", "enum": ["deck", "engine"] },
            } },
        })
    }

    /// The pointers of a value and of all within it.
    fn places(node: &Node<'_>, found: &mut Vec<String>) {
        found.push(node.error("", "").pointer().to_owned());
        let members = node.members().unwrap_or_default().into_iter();
        let parts = members
            .map(|(_, member)| member)
            .chain(node.items().unwrap_or_default());
        parts.for_each(|part| places(&part, found));
    }

    fn refused(document: &Value) -> (String, &'static str) {
        let error = openapi(document).expect_err("it cannot be read");
        (error.pointer().to_owned(), error.rule())
    }

    #[test]
    fn it_is_what_serde_reads() {
        let read = openapi(&lowered()).expect("it can be read");
        let by_serde: OpenAPI = serde_json::from_value(lowered()).expect("serde can read it");
        assert_eq!(read, by_serde);
    }

    #[test]
    fn what_is_not_known_is_an_error_that_says_where() {
        let mut all = Vec::new();
        places(&Node::root(&lowered()), &mut all);
        for place in all {
            for odd in [json!(null), json!(7)] {
                let mut document = lowered();
                *document.pointer_mut(&place).expect("a place") = odd;
                assert_eq!(refused(&document), (place.clone(), "lowered"));
            }
            let mut document = lowered();
            if let Some(members) = document.pointer_mut(&place).and_then(Value::as_object_mut) {
                members.insert("odd".to_owned(), json!(7));
                assert_eq!(refused(&document), (format!("{place}/odd"), "lowered"));
            }
        }
    }

    #[test]
    fn words_that_are_not_known_are_errors() {
        for (place, odd) in [
            ("/components/schemas/Id/type", "null"),
            ("/components/schemas/Id/format", "int8"),
            ("/components/schemas/Crew/properties/pay/format", "decimal"),
            ("/components/schemas/Crew/properties/hired/format", "uuid"),
            ("/paths/~1ships~1{of}/get/parameters/0/in", "header"),
        ] {
            let mut document = lowered();
            *document.pointer_mut(place).expect("a place") = json!(odd);
            assert_eq!(refused(&document), (place.to_owned(), "lowered"));
        }
    }
}
