"""The public names of PyTorch 2.13.0 that are not here; `.ci/pytorch_names` wrote them."""

VERSION = "2.13.0"
NAMES = {
    "torch": """
AVG BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage
FloatStorage HalfStorage IntStorage LongStorage PRIVATE_OPS QInt32Storage QInt8Storage QUInt2x4Storage
QUInt4x2Storage QUInt8Storage SUM ShortStorage Storage SymBool SymFloat SymInt USE_GLOBAL_DEPS
USE_RTLD_GLOBAL_WITH_LIBTORCH accelerator affine_grid_generator amp ao autocast_decrement_nesting
autocast_increment_nesting backends batch_norm_backward_elemt batch_norm_backward_reduce batch_norm_elemt
batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_stats batch_norm_update_stats bit
bits16 bits1x8 bits2x4 bits4x2 bits8 ccol_indices_copy chalf choose_qparams_optimized classes classproperty
col_indices_copy compiled_with_cxx11_abi compiler complex32 conj_physical_ cpp cpu crow_indices_copy cuda
cudnn_affine_grid_generator cudnn_batch_norm cudnn_convolution cudnn_convolution_add_relu
cudnn_convolution_relu cudnn_convolution_transpose cudnn_grid_sampler cudnn_is_acceptable dequantize
detach_copy distributed distributions embedding_renorm_ empty_quantized export fbgemm_linear_fp16_weight
fbgemm_linear_fp16_weight_fp32_activation fbgemm_linear_int8_weight fbgemm_linear_int8_weight_fp32_activation
fbgemm_linear_quantize_weight fbgemm_pack_gemm_matrix_fp16 fbgemm_pack_quantized_matrix fft float4_e2m1fn_x2
float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu fork from_file functional
fused_moving_avg_obs_fake_quant futures fx geqrf get_autocast_ipu_dtype get_autocast_xla_dtype get_device
get_file_path has_lapack has_mkl has_openmp has_spectral hash_tensor hsmm hspmm hub import_ir_module
import_ir_module_from_buffer indices_copy init_num_threads int1 int2 int3 int4 int5 int6 int7 int_repr
is_autocast_ipu_enabled is_autocast_xla_enabled is_distributed is_vulkan_available jit library lobpcg masked
merge_type_from_type_comment miopen_batch_norm miopen_convolution miopen_convolution_add_relu
miopen_convolution_relu miopen_convolution_transpose miopen_ctc_loss miopen_depthwise_convolution miopen_rnn
mkldnn_adaptive_avg_pool2d mkldnn_convolution mkldnn_linear_backward_weights mkldnn_max_pool2d
mkldnn_max_pool3d mkldnn_rnn_layer monitor mps mtia multiprocessing native_channel_shuffle native_dropout
native_norm nested ops overrides package parse_ir parse_schema parse_type_comment per_channel_affine
per_channel_affine_float_qparams per_channel_symmetric per_tensor_affine per_tensor_symmetric
prepare_multiprocessing_environment profiler profiler_allow_cudagraph_cupti_lazy_reinit_cuda12
q_per_channel_axis q_per_channel_scales q_per_channel_zero_points q_scale q_zero_point qint32 qint8
quantization quantize_per_channel quantize_per_tensor quantize_per_tensor_dynamic quantized_batch_norm
quantized_gru quantized_gru_cell quantized_lstm quantized_lstm_cell quantized_max_pool1d quantized_max_pool2d
quantized_max_pool3d quantized_rnn_relu_cell quantized_rnn_tanh_cell quasirandom quint2x4 quint4x2 quint8
resize_as_ resize_as_sparse_ return_types row_indices_copy saddmm select_copy serialization
set_anomaly_enabled set_autocast_ipu_dtype set_autocast_ipu_enabled set_autocast_xla_dtype
set_autocast_xla_enabled signal slice_copy slice_inverse smm sparse sparse_bsc_tensor sparse_bsr_tensor
split_copy sspaddmm storage sym_constrain_range sym_constrain_range_for_size sym_fresh_size testing
thread_safe_generator torch_version types uint1 uint16 uint2 uint3 uint32 uint4 uint5 uint6 uint64 uint7
unify_type_list unsafe_split_with_sizes values_copy version wait windows xpu
""",
    "torch.Tensor": """
chalf const_data_ptr dequantize geqrf grad_dtype hash_tensor index int_repr ipu is_distributed is_ipu is_maia
module_load mtia name output_nr polygamma_ q_per_channel_axis q_per_channel_scales q_per_channel_zero_points
q_scale q_zero_point qscheme record_stream resize_as_sparse_ slice_inverse smm sspaddmm storage_type to_mkldnn
to_padded_tensor to_sparse_bsc to_sparse_bsr unsafe_split_with_sizes volatile xpu
""",
    "torch.nn.Module": """
call_super_init dump_patches ipu mtia xpu
""",
    "torch.nn": """
Container attention common_types factory_kwargs intrinsic modules parameter qat quantizable quantized
""",
    "torch.nn.functional": """
BroadcastingList1 BroadcastingList2 BroadcastingList3 GRID_SAMPLE_INTERPOLATION_MODES
GRID_SAMPLE_PADDING_MODES ScalingType SwizzleType Tensor assert_int_or_pair boolean_dispatch grad grouped_mm
handle_torch_function has_torch_function has_torch_function_unary has_torch_function_variadic
native_channel_shuffle reproducibility_notes scaled_grouped_mm scaled_mm sparse_support_notes tf32_notes
""",
    "torch.nn.init": """
Tensor
""",
    "torch.nn.parameter": """
UninitializedTensorMixin
""",
    "torch.nn.utils": """
clip_grad convert_parameters fusion init memory_format
""",
    "torch.optim": """
swap_in_optimizer_params_and_state
""",
    "torch.optim.lr_scheduler": """
EPOCH_DEPRECATION_WARNING Optimizer Tensor inf
""",
    "torch.optim.swa_utils": """
LRScheduler Module Tensor
""",
    "torch.autograd": """
DeviceType NestedIOFunction ProfilerActivity ProfilerConfig ProfilerEvent ProfilerState SavedTensor
anomaly_mode enforce_grad_layout_policy function grad_mode handle_torch_function has_torch_function
is_multithreading_enabled is_tensor_like is_view_replay_enabled kineto_available profiler profiler_legacy
profiler_util variable
""",
    "torch.autograd.functional": """
fwAD
""",
    "torch.autograd.graph": """
TorchDispatchMode Variable allow_mutation_on_saved_tensors region_activation_memory_budget
set_override_stale_capture_stream set_warn_on_accumulate_grad_stream_mismatch
""",
    "torch.func": """
debug_unwrap functionalize rearrange
""",
    "torch.linalg": """
common_notes ldl_factor ldl_factor_ex ldl_solve
""",
    "torch.fft": """
Tensor common_args factory_common_args
""",
    "torch.special": """
Tensor common_args multi_dim_common
""",
    "torch.masked": """
MaskedTensor as_masked_tensor is_masked_tensor masked_tensor maskedtensor
""",
    "torch.sparse": """
SparseSemiStructuredTensor SparseSemiStructuredTensorCUSPARSELT SparseSemiStructuredTensorCUTLASS Tensor
as_sparse_gradcheck semi_structured spsolve to_sparse_semi_structured
""",
    "torch.random": """
thread_safe_generator
""",
    "torch.distributed": """
AllToAllOptions AllreduceCoalescedOptions AllreduceOptions BackendConfig BarrierOptions BroadcastOptions
BuiltinCommHookType DebugLevel DeviceMesh DistBackendError DistError DistNetworkError DistStoreError FileStore
GatherOptions GradBucket GroupName HashStore Logger PrefixStore ProcessGroupGloo QueueEmptyError ReduceOptions
ReduceScatterOptions Reducer ScatterOptions Store TCPStore algorithms all_gather_coalesced all_gather_single
all_reduce_coalesced autograd breakpoint c10d_logger config constants default_pg_timeout device_mesh
distributed_c10d get_backend_config get_debug_level get_default_backend_for_device get_pg_count
init_device_mesh is_backend_available is_ucc_available is_xccl_available logging_handlers record_comm
reduce_op reduce_scatter_single register_rendezvous_handler remote_device rendezvous rpc set_debug_level
set_debug_level_from_env shrink_group split_group supports_complex utils
""",
    "torch.distributions": """
bernoulli beta binomial categorical cauchy chi2 constraint_registry continuous_bernoulli dirichlet
distribution exp_family exponential fishersnedecor gamma generalized_pareto geometric gumbel half_cauchy
half_normal independent inverse_gamma kl kumaraswamy laplace lkj_cholesky log_normal logistic_normal
lowrank_multivariate_normal mixture_same_family multinomial multivariate_normal negative_binomial normal
one_hot_categorical pareto poisson relaxed_bernoulli relaxed_categorical studentT transformed_distribution
transforms uniform utils von_mises weibull wishart
""",
    "torch.utils": """
ThroughputBenchmark backend_registration cmake_prefix_path collect_env cpp_backtrace
generate_methods_for_privateuse1_backend get_cpp_backtrace rename_privateuse1_backend set_module
throughput_benchmark weak
""",
    "torch.utils.data": """
DFIterDataPipe DataChunk IterDataPipe MapDataPipe argument_validation dataloader datapipes dataset distributed
functional_datapipe graph graph_settings guaranteed_datapipes_determinism non_deterministic runtime_validation
runtime_validation_disabled sampler
""",
    "torch.accelerator": """
Graph get_device_capability device_index empty_host_cache get_memory_info reset_accumulated_memory_stats
""",
    "torch.autograd.profiler": """
load_nvprof EnforceUnique parse_nvprof_trace KinetoStepTracker MemRecordsAcc
""",
    "torch.backends": """
cusparselt kleidiai m miopen nnpack python_native quantized
""",
    "torch.backends.cuda": """
cuFFTPlanCacheAttrContextProp cuFFTPlanCache cuFFTPlanCacheManager cuBLASModule preferred_linalg_library
preferred_blas_library cublas_workspace_size cublaslt_workspace_size blas_workspace_size
preferred_rocm_fa_library is_ck_sdpa_available cufft_plan_cache SDPAParams allow_fp16_bf16_reduction_math_sdp
fp16_bf16_reduction_math_sdp_allowed can_use_flash_attention can_use_efficient_attention
can_use_cudnn_attention
""",
    "torch.compiler": """
config substitute_in_graph set_default_backend get_default_backend set_enable_guard_collectives
load_compiled_function wrap_numpy save_cache_artifacts load_cache_artifacts keep_portable_guards_unsafe
skip_guard_on_inbuilt_nn_modules_unsafe skip_guard_on_all_nn_modules_unsafe keep_tensor_guards_unsafe
skip_guard_on_globals_unsafe skip_all_guards_unsafe nested_compile_region
""",
    "torch.cpu": """
Event get_capabilities
""",
    "torch.cuda": """
BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage
FloatStorage HalfStorage IntStorage LongStorage ShortStorage DeferredCudaCallError GreenContext
caching_allocator_alloc caching_allocator_delete caching_allocator_disabled caching_allocator_enable
check_error cudaStatus current_solver_handle device_memory_used get_allocator_backend CUDAPluggableAllocator
change_current_allocator get_stream_from_external graph_pool_handle graphs host_memory_stats
host_memory_stats_as_nested_dict is_tf32_supported jiterator list_gpu_processes make_graphed_callables MemPool
use_mem_pool nccl reset_accumulated_host_memory_stats reset_accumulated_memory_stats
reset_peak_host_memory_stats sparse streams tunable
""",
    "torch.cuda.memory": """
caching_allocator_alloc caching_allocator_delete caching_allocator_disabled caching_allocator_enable
get_per_process_memory_fraction memory_stats_as_nested_dict reset_accumulated_memory_stats host_memory_stats
host_memory_stats_as_nested_dict reset_accumulated_host_memory_stats reset_peak_host_memory_stats
list_gpu_processes get_allocator_backend CUDAPluggableAllocator change_current_allocator MemPool use_mem_pool
""",
    "torch.fx": """
replace_pattern has_side_effect
""",
    "torch.jit": """
CompilationUnit export_opnames onednn_fusion_enabled strict_fusion
""",
    "torch.library": """
impl define fallthrough_kernel impl_abstract register_autocast register_torch_dispatch register_vmap get_ctx
get_kernel triton_op wrap_triton infer_schema
""",
    "torch.mps": """
compile_shader load_metallib get_rng_state set_rng_state synchronize set_per_process_memory_fraction Event
profiler recommended_max_memory
""",
    "torch.nn.attention": """
WARN_FOR_UNFUSED_KERNELS register_flash_attention_impl activate_flash_attention_impl
list_flash_attention_impls current_flash_attention_impl restore_flash_attention_impl
""",
    "torch.nn.parallel": """
replicate scatter parallel_apply gather data_parallel
""",
    "torch.onnx": """
errors ops OnnxExporterError ONNXProgram ExportableModule InputObserver
""",
    "torch.profiler": """
DeviceType ExecutionTraceObserver
""",
    "torch.serialization": """
mkdtemp register_package check_module_version_greater_or_equal validate_cuda_device validate_hpu_device
normalize_storage_type storage_to_tensor_type StorageType LoadEndianness get_crc32_options set_crc32_options
get_default_load_endianness set_default_load_endianness get_default_mmap_options
get_unsafe_globals_in_checkpoint skip_data
""",
    "torch.utils.benchmark": """
CallgrindStats Colorize CopyIfCallgrind FunctionCount FunctionCounts FuzzedParameter FuzzedSparseTensor
FuzzedTensor Fuzzer Language ParameterAlias ordered_unique set_torch_threads timer trim_sigfig unit_to_english
utils
""",
    "torch.utils.checkpoint": """
CheckpointFunction DefaultDeviceType CheckpointPolicy SelectiveCheckpointContext
create_selective_checkpoint_contexts SAC_IGNORED_OPS GraphExecGroup
""",
    "torch.utils.flop_counter": """
register_flop_formula
""",
    "torch.xpu": """
Event Stream StreamContext XPUPluggableAllocator XPUGraph can_device_access_peer change_current_allocator
clock_rate current_device current_stream default_generators device device_of device_memory_used get_arch_list
get_device_capability get_device_name get_device_properties get_gencode_flags get_per_process_memory_fraction
get_rng_state get_rng_state_all get_stream_from_external graph graph_pool_handle init initial_seed
is_bf16_supported is_current_stream_capturing is_tf32_supported make_graphed_callables max_memory_reserved
mem_get_info memory_reserved memory_snapshot memory_stats memory_stats_as_nested_dict memory_usage MemPool
power_draw use_mem_pool reset_accumulated_memory_stats set_device set_per_process_memory_fraction
set_rng_state set_rng_state_all set_stream stream streams synchronize temperature utilization
""",
}
# The functions that take `out`.
OUT = """
abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr airy_ai alias_copy all amax amin aminmax
angle any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort as_strided_copy
asin asinh atan atan2 atanh avg_pool2d avg_pool3d baddbmm batch_norm_elemt bernoulli bessel_j0 bessel_j1
bessel_y0 bessel_y1 bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm
bucketize cat ccol_indices_copy ceil chain_matmul chebyshev_polynomial_t chebyshev_polynomial_u
chebyshev_polynomial_v chebyshev_polynomial_w cholesky cholesky_ex cholesky_inverse cholesky_solve clamp
clamp_max clamp_min clip col_indices_copy column_stack complex concat concatenate cond conj_physical copysign
cos cosh cross crow_indices_copy cudnn_batch_norm cudnn_convolution cummax cummin cumprod cumsum deg2rad det
detach_copy diag diagonal_copy diff digamma div divide dot dstack eig eigh eigvals eigvalsh empty empty_like
empty_permuted empty_strided entr eq erf erfc erfcx erfinv exp exp2 expand_copy expit expm1 eye fft fft2
fftfreq fftn fix float_power floor floor_divide fmax fmin fmod frac frexp frobenius_norm from_file full
gammainc gammaincc gammaln gather gcd ge gelu geqrf ger greater greater_equal gt hamming_window hardshrink
hash_tensor heaviside hermite_polynomial_h hermite_polynomial_he hfft hfft2 hfftn histc histogram histogramdd
householder_product hspmm hstack hypot i0 i0e i1 i1e ifft ifft2 ifftn igamma igammac ihfft ihfft2 ihfftn
index_add index_copy index_reduce index_select indices_copy inner inv inv_ex inverse irfft irfft2 irfftn isin
isneginf isposinf kron kthvalue laguerre_polynomial_l lcm ldexp ldl_factor ldl_factor_ex ldl_solve le
legendre_polynomial_p lerp less less_equal lgamma linear linspace log log10 log1p log2 log_ndtr log_softmax
logaddexp logaddexp2 logcumsumexp logical_and logical_not logical_or logical_xor logit logsigmoid logspace
logsumexp lstsq lt lu lu_factor lu_factor_ex lu_solve lu_unpack masked_select matmul matrix_norm matrix_power
matrix_rank max maximum mean median min minimum mkldnn_adaptive_avg_pool2d mm mode modified_bessel_i0
modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 msort mul multi_dot multigammaln multinomial multiply
mv mvlgamma nan_to_num nanmean nanmedian nanquantile nansum narrow_copy native_batch_norm ndtr ndtri ne neg
negative nextafter nonzero nonzero_static norm normal normalize not_equal nuclear_norm ones ones_like orgqr
ormqr outer permute_copy pinv polar polygamma pow prod psi qr quantile rad2deg rand rand_like randint randn
randn_like randperm range reciprocal remainder renorm rfft rfft2 rfftfreq rfftn round row_indices_copy
row_stack rsqrt saddmm scaled_modified_bessel_k0 scaled_modified_bessel_k1 scatter scatter_add scatter_reduce
searchsorted select_copy sgn shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u
shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w sigmoid sign signbit sin sinc sinh slice_copy
slice_scatter slogdet softmax softplus softshrink solve solve_ex solve_triangular sort
sparse_compressed_tensor spherical_bessel_j0 split_copy split_with_sizes_copy sqrt square squeeze_copy
sspaddmm stack std std_mean sub subtract sum svd svdvals symeig t_copy take take_along_dim tan tanh tensordot
tensorinv tensorsolve threshold topk transpose_copy triangular_solve tril triu true_divide trunc unbind_copy
unfold_copy unsqueeze_copy values_copy var var_mean vdot vecdot vector_norm view_as_complex_copy
view_as_real_copy view_copy vstack where xlog1py xlogy zeros zeros_like zeta
"""
