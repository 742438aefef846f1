"""Modules of PyTorch 2.13.0; `.ci/pytorch_names` wrote them."""

MODULES = """
_VF __config__ __future__ _appdirs _awaits _classes _compile _custom_op _custom_op.autograd _custom_op.impl
_custom_ops _decomp _decomp.decompositions _decomp.decompositions_for_jvp _decomp.decompositions_for_rng
_dispatch _dispatch.python _dynamo _dynamo._trace_wrapped_higher_order_op _dynamo.aot_compile
_dynamo.aot_compile_types _dynamo.backends _dynamo.bytecode_analysis _dynamo.bytecode_debugger
_dynamo.bytecode_transformation _dynamo.cache_size _dynamo.callback _dynamo.code_context _dynamo.codegen
_dynamo.compiled_autograd _dynamo.comprehension_graph_break _dynamo.comptime _dynamo.config
_dynamo.convert_frame _dynamo.create_parameter_op _dynamo.current_scope_id _dynamo.dce_extra_outputs
_dynamo.debug_utils _dynamo.decorators _dynamo.device_interface _dynamo.distributed _dynamo.dynamo_profiler
_dynamo.eval_frame _dynamo.exc _dynamo.external_utils _dynamo.funcname_cache _dynamo.functional_export
_dynamo.graph_break_hints _dynamo.graph_bytecode_inputs _dynamo.graph_deduplication _dynamo.graph_id_filter
_dynamo.graph_region_tracker _dynamo.graph_utils _dynamo.guards _dynamo.hooks _dynamo.logging
_dynamo.metrics_context _dynamo.mutation_guard _dynamo.output_graph _dynamo.package _dynamo.pgo
_dynamo.polyfills _dynamo.precompile_context _dynamo.profiler _dynamo.replay_record _dynamo.repro
_dynamo.resume_execution _dynamo.side_effects _dynamo.source _dynamo.symbolic_convert
_dynamo.tensor_version_op _dynamo.test_case _dynamo.test_dont_skip_tracing_functions
_dynamo.test_minifier_common _dynamo.testing _dynamo.trace_rules _dynamo.types _dynamo.utils _dynamo.variables
_environment _export _export.config _export.converter _export.db _export.error _export.non_strict_utils
_export.pass_base _export.pass_infra _export.passes _export.serde _export.tools _export.utils _export.verifier
_export.wrappers _functorch _functorch._activation_checkpointing _functorch._activation_offloading
_functorch._aot_autograd _functorch.aot_autograd _functorch.apis _functorch.autograd_function
_functorch.batch_norm_replacement _functorch.benchmark_utils _functorch.compile_utils _functorch.compilers
_functorch.config _functorch.deprecated _functorch.eager_transforms _functorch.einops
_functorch.functional_call _functorch.fx_minifier _functorch.make_functional _functorch.partitioners
_functorch.predispatch _functorch.pyfunctorch _functorch.python_key _functorch.pytree_hacks
_functorch.top_operators_github_usage _functorch.utils _functorch.vmap _guards _higher_order_ops
_higher_order_ops._invoke_quant _higher_order_ops.aoti_call_delegate _higher_order_ops.associative_scan
_higher_order_ops.auto_functionalize _higher_order_ops.base_hop _higher_order_ops.cond
_higher_order_ops.cudagraph_conditional_nodes _higher_order_ops.effects
_higher_order_ops.executorch_call_delegate _higher_order_ops.flat_apply _higher_order_ops.flex_attention
_higher_order_ops.foreach_map _higher_order_ops.hints_wrap _higher_order_ops.inline_asm_elementwise
_higher_order_ops.invoke_leaf_function _higher_order_ops.invoke_subgraph _higher_order_ops.local_map
_higher_order_ops.map _higher_order_ops.out_dtype _higher_order_ops.partitioner _higher_order_ops.passes
_higher_order_ops.print _higher_order_ops.register_hook _higher_order_ops.run_const_graph
_higher_order_ops.scan _higher_order_ops.schema _higher_order_ops.strict_mode _higher_order_ops.torchbind
_higher_order_ops.triton_kernel_wrap _higher_order_ops.utils _higher_order_ops.while_loop
_higher_order_ops.wrap _inductor _inductor.__autotune_main__ _inductor._functionalize_collectives
_inductor.analysis _inductor.analyze_preserves_zero_mask _inductor.aoti_eager _inductor.async_compile
_inductor.augmented_graph_helper _inductor.autoheuristic _inductor.autotune_process _inductor.await_utils
_inductor.bounds _inductor.cache _inductor.cache_key _inductor.choices _inductor.codecache _inductor.codegen
_inductor.comm_analysis _inductor.comm_lowering _inductor.comms _inductor.comms_debug _inductor.compile_fx
_inductor.compile_fx_async _inductor.compile_fx_ext _inductor.compile_fx_subproc _inductor.compile_worker
_inductor.compiler_bisector _inductor.config _inductor.config_comms _inductor.constant_folding
_inductor.cpp_builder _inductor.cpu_vec_isa _inductor.cudagraph_trees _inductor.cudagraph_utils
_inductor.custom_graph_pass _inductor.debug _inductor.decomposition _inductor.dependencies
_inductor.distributed_autotune _inductor.dtype_propagation _inductor.exc _inductor.extern_node_serializer
_inductor.freezing _inductor.freezing_utils _inductor.fuzzer _inductor.fx_passes _inductor.fx_utils
_inductor.graph _inductor.hooks _inductor.index_propagation _inductor.inductor_prims
_inductor.invert_expr_analysis _inductor.ir _inductor.jagged_lowerings _inductor.kernel
_inductor.kernel_inputs _inductor.kernel_template_choice _inductor.lookup_table _inductor.loop_body
_inductor.lowering _inductor.memory _inductor.metrics _inductor.mkldnn_ir _inductor.mkldnn_lowerings
_inductor.mock_cache _inductor.ops_handler _inductor.optimize_indexing _inductor.output_code _inductor.package
_inductor.pattern_matcher _inductor.quantized_lowerings _inductor.remote_cache
_inductor.remote_gemm_autotune_cache _inductor.rocm_multiarch_utils _inductor.runtime _inductor.scheduler
_inductor.select_algorithm _inductor.shape_propagation _inductor.sizevars _inductor.standalone_compile
_inductor.stream_constants _inductor.stream_utils _inductor.subgraph_lowering _inductor.template_heuristics
_inductor.test_case _inductor.test_operators _inductor.tiling_utils _inductor.triton_bundler _inductor.utils
_inductor.virtualized _inductor.wrapper_benchmark _jit_internal _lazy _lazy.closure _lazy.computation
_lazy.config _lazy.debug _lazy.device_context _lazy.extract_compiled_graph _lazy.ir_cache _lazy.metrics
_lazy.tensor_factory_functions _lazy.ts_backend _library _library._out_variant _library.autograd
_library.custom_ops _library.effects _library.fake_class_registry _library.fake_impl _library.fake_profile
_library.infer_schema _library.opaque_object _library.simple_registry _library.triton _library.utils
_linalg_utils _lobpcg _logging _logging._internal _logging._registrations _logging.scribe _logging.structured
_lowrank _meta_registrations _native _native.common_utils _native.cutedsl_utils _native.dsl_registry
_native.ops _native.registry _native.triton_utils _numpy _numpy._binary_ufuncs_impl _numpy._casting_dicts
_numpy._dtypes _numpy._dtypes_impl _numpy._funcs _numpy._funcs_impl _numpy._getlimits _numpy._ndarray
_numpy._normalizations _numpy._reductions_impl _numpy._ufuncs _numpy._unary_ufuncs_impl _numpy._util
_numpy.fft _numpy.linalg _numpy.random _numpy.testing _opaque_base _ops _prims _prims.context
_prims.debug_prims _prims.executor _prims.rng_prims _prims_common _prims_common.wrappers _python_dispatcher
_refs _refs._conversions _refs.fft _refs.linalg _refs.nn _refs.special _size_docs _sources _storage_docs
_streambase _strobelight _strobelight.cli_function_profiler _strobelight.compile_time_profiler _subclasses
_subclasses._fake_tensor_utils _subclasses.complex_tensor _subclasses.fake_impls _subclasses.fake_tensor
_subclasses.fake_utils _subclasses.functional_tensor _subclasses.meta_utils _subclasses.schema_check_mode
_tensor _tensor_docs _tensor_iterator _tensor_str _thread_safe_fork _torch_docs _utils _utils_internal _vendor
_vendor.packaging _vendor.quack _vmap_internals _weights_only_unpickler accelerator accelerator._utils
accelerator.graphs accelerator.memory amp amp.autocast_mode amp.grad_scaler ao ao.nn ao.ns ao.pruning
ao.quantization autograd autograd._functions autograd.anomaly_mode autograd.forward_ad autograd.function
autograd.functional autograd.grad_mode autograd.gradcheck autograd.graph autograd.profiler
autograd.profiler_legacy autograd.profiler_util autograd.variable backends backends._coreml backends._nnapi
backends.cpu backends.cuda backends.cudnn backends.cusparselt backends.kleidiai backends.mha backends.miopen
backends.mkl backends.mkldnn backends.mps backends.nnpack backends.openmp backends.opt_einsum
backends.python_native backends.quantized backends.xeon backends.xnnpack compiler compiler._cache
compiler.config contrib contrib._tensorboard_vis cpu cpu.amp cuda cuda._annotate_cuda_graph_trace
cuda._device_limits cuda._gpu_trace cuda._graph_annotations cuda._memory_viz cuda._pin_memory_utils
cuda._sanitizer cuda._utils cuda.amp cuda.comm cuda.gds cuda.graphs cuda.green_contexts cuda.jiterator
cuda.memory cuda.nccl cuda.nvtx cuda.profiler cuda.random cuda.sparse cuda.streams cuda.tunable distributed
distributed._checkpointable distributed._composable distributed._composable_state distributed._dist2
distributed._functional_collectives distributed._functional_collectives_impl distributed._local_tensor
distributed._mesh_layout distributed._meta_registrations distributed._ops distributed._pycute
distributed._serialization distributed._shard distributed._sharded_tensor distributed._sharding_spec
distributed._state_dict_utils distributed._symmetric_memory distributed._tensor distributed._tools
distributed.algorithms distributed.argparse_util distributed.autograd distributed.c10d_logger
distributed.checkpoint distributed.collective_utils distributed.config distributed.constants distributed.debug
distributed.device_mesh distributed.distributed_c10d distributed.elastic distributed.flight_recorder
distributed.fsdp distributed.launch distributed.launcher distributed.logging_handlers distributed.nn
distributed.optim distributed.pipelining distributed.remote_device distributed.rendezvous distributed.rpc
distributed.run distributed.tensor distributed.utils distributions distributions.bernoulli distributions.beta
distributions.binomial distributions.categorical distributions.cauchy distributions.chi2
distributions.constraint_registry distributions.constraints distributions.continuous_bernoulli
distributions.dirichlet distributions.distribution distributions.exp_family distributions.exponential
distributions.fishersnedecor distributions.gamma distributions.generalized_pareto distributions.geometric
distributions.gumbel distributions.half_cauchy distributions.half_normal distributions.independent
distributions.inverse_gamma distributions.kl distributions.kumaraswamy distributions.laplace
distributions.lkj_cholesky distributions.log_normal distributions.logistic_normal
distributions.lowrank_multivariate_normal distributions.mixture_same_family distributions.multinomial
distributions.multivariate_normal distributions.negative_binomial distributions.normal
distributions.one_hot_categorical distributions.pareto distributions.poisson distributions.relaxed_bernoulli
distributions.relaxed_categorical distributions.studentT distributions.transformed_distribution
distributions.transforms distributions.uniform distributions.utils distributions.von_mises
distributions.weibull distributions.wishart export export._draft_export export._leakage_detection_utils
export._patches export._remove_auto_functionalized_pass export._remove_effect_tokens_pass export._safeguard
export._state_dict_utils export._swap export._trace export._tree_utils export._unlift export._wrapper_utils
export.custom_obj export.custom_ops export.decomp_utils export.dynamic_shapes export.experimental
export.exported_program export.graph_signature export.passes export.pt2_archive export.unflatten fft func
func._random functional futures fx fx._compatibility fx._graph_pickler fx._lazy_graph_module fx._pytree
fx._symbolic_trace fx._utils fx.annotate fx.config fx.experimental fx.graph fx.graph_module
fx.immutable_collections fx.interpreter fx.node fx.operator_schemas fx.passes fx.proxy fx.subgraph_rewriter
fx.tensor_type fx.traceback hub jit jit._async jit._await jit._builtins jit._check jit._dataclass_impls
jit._decomposition_utils jit._decompositions jit._freeze jit._fuser jit._ir_utils jit._logging
jit._monkeytype_config jit._passes jit._pickle jit._recursive jit._script jit._serialization
jit._shape_functions jit._state jit._trace jit.annotations jit.frontend jit.generate_bytecode jit.mobile
jit.quantized jit.supported_ops jit.unsupported_tensor_ops library linalg masked masked._docs masked._ops
masked.maskedtensor monitor mps mps.event mps.profiler mtia mtia._utils mtia.memory mtia.mtia_graph
multiprocessing multiprocessing._atfork multiprocessing.pool multiprocessing.queue multiprocessing.reductions
multiprocessing.spawn nativert nativert.backends nested nested._internal nn nn._reduction nn.attention
nn.attention.bias nn.attention.experimental nn.attention.flex_attention nn.attention.varlen nn.backends
nn.backends.thnn nn.common_types nn.cpp nn.functional nn.grad nn.init nn.intrinsic nn.intrinsic.modules
nn.intrinsic.qat nn.intrinsic.quantized nn.modules nn.modules.activation nn.modules.adaptive
nn.modules.batchnorm nn.modules.channelshuffle nn.modules.container nn.modules.conv nn.modules.distance
nn.modules.dropout nn.modules.flatten nn.modules.fold nn.modules.instancenorm nn.modules.lazy
nn.modules.linear nn.modules.linear_cross_entropy nn.modules.linear_cross_entropy_options nn.modules.loss
nn.modules.module nn.modules.normalization nn.modules.padding nn.modules.pixelshuffle nn.modules.pooling
nn.modules.rnn nn.modules.sparse nn.modules.transformer nn.modules.upsampling nn.modules.utils nn.parallel
nn.parallel.comm nn.parallel.data_parallel nn.parallel.distributed nn.parallel.parallel_apply
nn.parallel.replicate nn.parallel.scatter_gather nn.parameter nn.qat nn.qat.dynamic nn.qat.modules
nn.quantizable nn.quantizable.modules nn.quantized nn.quantized.dynamic nn.quantized.functional
nn.quantized.modules nn.utils nn.utils.clip_grad nn.utils.convert_parameters nn.utils.fusion nn.utils.init
nn.utils.memory_format nn.utils.parametrizations nn.utils.parametrize nn.utils.prune nn.utils.rnn
nn.utils.spectral_norm nn.utils.stateless nn.utils.weight_norm numa numa.binding onnx onnx._constants
onnx._flags onnx._internal onnx.errors onnx.operators onnx.ops onnx.symbolic_helper onnx.symbolic_opset10
onnx.symbolic_opset11 onnx.symbolic_opset12 onnx.symbolic_opset13 onnx.symbolic_opset14 onnx.symbolic_opset15
onnx.symbolic_opset16 onnx.symbolic_opset17 onnx.symbolic_opset18 onnx.symbolic_opset19 onnx.symbolic_opset20
onnx.symbolic_opset7 onnx.symbolic_opset8 onnx.symbolic_opset9 onnx.testing onnx.utils onnx.verification optim
optim._adafactor optim._functional optim._multi_tensor optim._muon optim._stateless optim.adadelta
optim.adagrad optim.adam optim.adamax optim.adamw optim.asgd optim.lbfgs optim.lr_scheduler optim.nadam
optim.optimizer optim.radam optim.rmsprop optim.rprop optim.sgd optim.sparse_adam optim.swa_utils overrides
package package._digraph package._directory_reader package._importlib package._mangling package._mock
package._package_pickler package._package_unpickler package._stdlib package.analyze
package.file_structure_representation package.find_file_dependencies package.glob_group package.importer
package.package_exporter package.package_importer profiler profiler._chrome_trace_export
profiler._cupti_monitor profiler._cupti_monitor_trace profiler._memory_profiler profiler._pattern_matcher
profiler._trace_validator profiler._utils profiler.itt profiler.profiler profiler.python_tracer quantization
quantization._numeric_suite quantization._numeric_suite_fx quantization._quantized_conversions
quantization.fake_quantize quantization.fuse_modules quantization.fuser_method_mappings quantization.fx
quantization.observer quantization.qconfig quantization.quant_type quantization.quantization_mappings
quantization.quantize quantization.quantize_fx quantization.quantize_jit quantization.stubs quantization.utils
quasirandom random return_types serialization signal signal.windows sparse sparse._semi_structured_conversions
sparse._semi_structured_ops sparse._triton_ops sparse._triton_ops_meta sparse.semi_structured special storage
testing testing._comparison testing._creation testing._internal testing._utils torch_version types utils
utils._appending_byte_serializer utils._config_module utils._content_store utils._contextlib
utils._cpp_embed_headers utils._cpp_extension_versioner utils._cuda_debug utils._cxx_pytree utils._debug_mode
utils._device utils._dtype_abbrs utils._exposed_in utils._filelock utils._foreach_utils utils._functools
utils._get_clean_triton utils._helion utils._import_utils utils._inspect utils._mode_utils utils._ordered_set
utils._pallas utils._python_dispatch utils._pytree utils._runtime_estimation utils._stats utils._strobelight
utils._sympy utils._thunk utils._traceback utils._triton utils._typing_utils utils._zip utils.backcompat
utils.backend_registration utils.benchmark utils.benchmark.examples utils.benchmark.op_fuzzers
utils.benchmark.utils utils.bundled_inputs utils.checkpoint utils.collect_env utils.cpp_backtrace
utils.cpp_extension utils.data utils.data.backward_compatibility utils.data.dataloader utils.data.datapipes
utils.data.dataset utils.data.distributed utils.data.graph utils.data.graph_settings utils.data.sampler
utils.debug_log utils.deterministic utils.dlpack utils.file_baton utils.flop_counter utils.hipify
utils.hipify.constants utils.hipify.cuda_to_hip_mappings utils.hipify.hipify_python utils.hipify.version
utils.hooks utils.jit utils.jit.log_extract utils.mkldnn utils.mobile_optimizer utils.model_dump
utils.model_zoo utils.module_tracker utils.serialization utils.serialization.config utils.show_pickle
utils.tensorboard utils.tensorboard.summary utils.tensorboard.writer utils.throughput_benchmark utils.viz
utils.weak version xpu xpu._gpu_trace xpu._utils xpu.graphs xpu.memory xpu.random xpu.streams
"""
